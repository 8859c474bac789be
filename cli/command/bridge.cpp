/// floe bridge: where the library is that lets Samba and CTDB's programs open the databases of a floe node, and how to put it
/// before libtdb.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/bridge_library.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

int run_bridge(context& c, const arguments& a) {
  const auto library = bridge_library();
  if (!library)
    return c.fail(
        "libfloe-tdb.so is neither where `meson install` puts it nor in the build directory of "
        "this program");
  const auto environment = "LD_PRELOAD=" + *library;
  if (c.options.json) {
    auto j = open_json("bridge");
    j.text("library", *library);
    j.text("environment", environment);
    print_json(std::move(j));
  } else if (a.has("--library")) {
    print(*library + "\n");
  } else if (a.has("--environment")) {
    print(environment + "\n");
  } else {
    print(
        fmt::format("Put this library before libtdb in smbd, winbindd and CTDB's programs:\n\n"
                    "  in a shell    {} smbd -D\n"
                    "  for systemd   [Service]\n"
                    "                Environment={}\n",
                    environment, environment));
  }
  return done;
}

}  // namespace

command bridge_command() {
  return {.name = "bridge",
          .group = "Samba",
          .summary = "the library that lets Samba open the databases of a floe node",
          .example = "env $(floe bridge --environment) smbd -D",
          .options = {{"--library", nullptr, "only its path"},
                      {"--environment", nullptr, "only the line for a shell or a unit file"}},
          .run = run_bridge};
}

}  // namespace floe::cli
