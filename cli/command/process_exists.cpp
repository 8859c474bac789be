/// floe process-exists: is a process a client of the node, and alive?
#include <fmt/format.h>

#include "actors/client/processes.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/whole_number.hpp"

namespace floe::cli {
namespace {

int run_process_exists(context& c, const arguments& a) {
  const auto pid = number_or_hex<std::int32_t>(a["PID"]).value_or(0);
  if (pid <= 0) return c.misused("process-exists: " + a["PID"] + " is no process id");
  const bool with_id = !a["SRVID"].empty();
  const auto id = number_or_hex<std::uint64_t>(a["SRVID"]);
  if (with_id && !id) return c.misused("process-exists: " + a["SRVID"] + " is no srvid");
  auto node = c.node();
  if (!node) return node.error();
  const auto at = c.target();
  if (!at) return at.error();
  const auto srvid = with_id ? std::optional(floe::srvid{*id}) : std::nullopt;
  const auto answer = (*node)->wait<bool>([&](auto finished) {
    process_exists((*node)->async(), *at, pid, srvid, c.patience(), finished);
  });
  if (!answer) return c.fail("process-exists", answer.error());
  const bool there = *answer;
  if (c.options.json) {
    auto j = open_json("process-exists");
    j.number("pid", static_cast<std::uint64_t>(pid));
    j.boolean("exists", there);
    print_json(std::move(j));
  } else {
    print(fmt::format("pid {} {}{}\n", pid,
                      there ? "is a client of the node" : "is no client of the node",
                      with_id ? there ? ", with this srvid" : " with this srvid" : ""));
  }
  return there ? done : says_no;
}

}  // namespace

command process_exists_command() {
  return {.name = "process-exists",
          .group = "Node",
          .summary = "whether a process is a client of the node and alive; exit 4 if not",
          .example = "floe --base DIR process-exists 4711 -n 2",
          .positionals = {{"PID", "process id"},
                          {"SRVID", "that it is to have registered, too", false}},
          .run = run_process_exists};
}

}  // namespace floe::cli
