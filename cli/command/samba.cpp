/// floe samba demo: shows on one machine what a cluster of floe does for Samba, and leaves nothing behind.
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "cli/bridge_library.hpp"
#include "cli/cluster/processes.hpp"
#include "cli/cluster/wait_healthy.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/samba/demo.hpp"
#include "cli/samba/file_server.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

/// A cluster in a folder of its own, both gone at the end; the folder stays if something in it tells why it failed.
class passing_cluster {
 public:
  ~passing_cluster() {
    if (!cluster_.dir.empty()) stop_cluster(cluster_, std::chrono::seconds(10));
    std::error_code ignored;
    if (!folder_.empty() && !kept_) std::filesystem::remove_all(folder_, ignored);
  }

  std::expected<const local_cluster*, std::string> start(duration patience) {
    std::string pattern = (std::filesystem::temp_directory_path() / "floe-samba-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) return std::unexpected("no folder can be made in " + pattern);
    folder_ = pattern;
    auto made = make_cluster(
        {.dir = folder_, .nodes = 3, .cluster_lock = {}, .extra_settings = {}, .tunables = {}});
    if (!made) return std::unexpected(made.error());
    cluster_ = std::move(*made);
    const auto pids = start_missing_nodes(cluster_);
    if (!pids) return std::unexpected(pids.error());
    const auto took = wait_healthy(cluster_, *pids, patience, [](const auto&) { return true; });
    if (!took) return std::unexpected(took.error().text);
    return &cluster_;
  }

  void keep_folder() { kept_ = true; }

 private:
  std::string folder_;
  bool kept_ = false;
  local_cluster cluster_;
};

int demo(context& c, const arguments&) {
  if (const auto missing = missing_samba_packages(); !missing.empty()) {
    std::string names;
    for (const auto& m : missing) names += " " + m;
    return c.fail("this shows Samba, which is not installed: apt-get install" + names);
  }
  if (::geteuid() != 0) return c.fail("smbd needs root");
  const auto library = bridge_library();
  if (!library) return c.fail("libfloe-tdb.so is not found (see `floe bridge`)");
  const auto begun = std::chrono::steady_clock::now();
  const auto tell = [&](const std::string& line) {
    if (c.options.json) return;
    const double s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    print_text(fmt::format("{:5.1f} s  {}\n", s, line));
  };
  passing_cluster nodes;
  const auto running = nodes.start(c.long_patience());
  if (!running) return c.fail(running.error());
  tell("three nodes are healthy, a directory each");
  const auto r = play_samba_demo(**running, *library, tell);
  if (!r.failed.empty()) {
    nodes.keep_folder();
    return c.fail(r.failed);
  }
  if (c.options.json) {
    auto j = open_json("samba demo");
    j.real("usual_ms", r.usual_ms);
    j.real("free_after_ms", r.free_after_ms);
    j.real("slowest_ms", r.slowest_ms);
    print_json(std::move(j));
  }
  tell("all is taken down; nothing is left");
  return done;
}

}  // namespace

command samba_command() {
  return {.name = "samba",
          .group = "Samba",
          .summary = "Samba on floe",
          .example = "floe samba demo",
          .subcommands = {{.name = "demo",
                           .group = "",
                           .summary = "three nodes with an smbd each; an smbd dies with a file "
                                      "open, a node is killed; what clients notice",
                           .example = "floe samba demo",
                           .run = demo}}};
}

}  // namespace floe::cli
