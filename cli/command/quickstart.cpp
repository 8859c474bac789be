/// floe quickstart: three nodes, two databases, one lost node. Plays with real processes what a
/// recovery of all databases together cannot survive, checks each thing that has to happen, prints
/// the timeline, and takes the cluster down.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "cli/cluster/layout.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/replay/report.hpp"
#include "cli/replay/two_locks.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

struct wishes {
  two_locks_options story;
  std::string dir;  ///< empty: one of our own
  bool keep = false;
};

std::expected<wishes, std::string> read_wishes(const arguments& a) {
  wishes w;
  w.dir = a["--dir"];
  w.keep = a.has("--keep");
  if (a["--freeze"] == "all")
    w.story.freeze_all = true;
  else if (a.has("--freeze") && a["--freeze"] != "db")
    return std::unexpected("--freeze takes db or all: " + a["--freeze"]);
  if (const auto& n = a["--records"]; !n.empty()) {
    const auto r = std::from_chars(n.data(), n.data() + n.size(), w.story.records);
    if (r.ec != std::errc() || r.ptr != n.data() + n.size() || w.story.records < 10 ||
        w.story.records > 10'000'000)
      return std::unexpected("--records takes a number from 10 to 10000000: " + n);
  }
  return w;
}

/// A directory for the nodes; one that we made ourselves is removed at the end, unless something
/// went wrong.
class workplace {
 public:
  explicit workplace(const wishes& w) : ours_(w.dir.empty() && !w.keep) {
    if (!w.dir.empty()) {
      path_ = w.dir;
      return;
    }
    std::string name = fs::temp_directory_path() / "floe-XXXXXX";
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~workplace() {
    std::error_code ignored;
    if (ours_ && !path_.empty()) fs::remove_all(path_, ignored);
  }
  workplace(const workplace&) = delete;
  const std::string& path() const { return path_; }
  void keep() { ours_ = false; }

 private:
  bool ours_;
  std::string path_;
};

int run(context& c, const arguments& a) {
  auto w = read_wishes(a);
  if (!w) return c.misused("quickstart: " + w.error());
  workplace place(*w);
  if (place.path().empty()) return c.fail("quickstart: no temporary directory can be made");
  w->story.dir = place.path();
  w->story.silent = c.options.json;
  w->story.width = terminal_width();
  w->story.colours = colours_wanted();
  two_locks story(w->story);
  const auto code = story.play();
  if (c.options.json) {
    auto j = open_json("quickstart");
    j.text("freeze", w->story.freeze_all ? "all" : "db");
    j.number("records", w->story.records);
    j.number("exit", static_cast<std::uint64_t>(code));
    story.put(j);
    print_json(std::move(j));
  }
  const bool as_promised = code == (w->story.freeze_all ? says_no : done);
  // what went wrong can be looked at
  const bool keep = w->keep || !w->dir.empty() || (!as_promised && !story.interrupted());
  if (keep) place.keep();
  if (!c.options.json && keep)
    print(fmt::format("The nodes' directories are in {}\n", place.path()));
  return code;
}

}  // namespace

command quickstart_command() {
  return {.name = "quickstart",
          .group = "Start",
          .summary =
              "see it work: three nodes, two locks, one lost node, one recovery for each database",
          .example =
              "floe quickstart\nfloe quickstart --freeze=all   # how it ends when all databases "
              "freeze together",
          .options = {{"--freeze", "db|all",
                       "db (the default): each database recovers by itself; all: all are frozen "
                       "before any is recovered, "
                       "which ends in a deadlock (exit 4)"},
                      {"--records", "N", "in each of the two databases (10000)"},
                      {"--dir", "DIR", "for the nodes' directories; stays there"},
                      {"--keep", nullptr, "keep the directory"}},
          .run = run};
}

}  // namespace floe::cli
