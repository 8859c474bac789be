/// floe explain: a row of the protocol's tables, for people. Needs no node.
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/decode/explain.hpp"
#include "cli/decode/lookup.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"

namespace floe::cli {
namespace {

int run(context& c, const arguments& a) {
  const auto& name = a["NAME"];
  const auto found = explain(name, !c.options.json && colours_wanted());
  if (found.empty()) {
    const auto near = closest(name, all_names());
    return c.misused("nothing in the protocol is called " + name +
                     (near ? "; did you mean " + std::string(*near) + "?"
                           : "; try the name of a control, message, operation, flag or tunable"));
  }
  if (c.options.json) {
    auto j = open_json("explain");
    j.begin_list("found");
    for (const auto& e : found) j.raw("", e.json);
    j.end();
    print_json(std::move(j));
  } else {
    bool first = true;
    for (const auto& e : found) {
      print((first ? "" : "\n") + e.text);
      first = false;
    }
  }
  return done;
}

}  // namespace

command explain_command() {
  return {
      .name = "explain",
      .group = "Protocol",
      .summary = "what a control, message, operation, flag, tunable or type of the protocol is",
      .example =
          "floe explain GET_DBMAP\n  floe explain 9\n  floe explain 0xF101000000000000\n  floe "
          "explain ControlTimeout",
      .positionals = {{"NAME",
                       "name (case does not matter), opcode of a control, or srvid of a message"}},
      .run = run};
}

}  // namespace floe::cli
