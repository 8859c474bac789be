#include "cli/command_tree.hpp"

#include "cli/decode/lookup.hpp"
#include "cli/json_list.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

template <class Options>
void put_options(wire::json_writer& j, std::string_view name, const Options& options) {
  put_objects(j, name, options, [&j](const option& o) {
    j.text("name", o.name);
    j.text("value", o.value ? o.value : "");
    j.text("help", o.help);
  });
}

void put_commands(wire::json_writer& j, std::string_view name,
                  const std::vector<command>& commands) {
  put_objects(j, name, commands, [&j](const command& c) {
    j.text("name", c.name);
    j.text("group", c.group);
    j.text("summary", c.summary);
    j.text("example", c.example);
    put_objects(j, "positionals", c.positionals, [&j](const positional& p) {
      j.text("name", p.name);
      j.text("help", p.help);
      j.boolean("required", p.required);
      j.boolean("many", p.many);
    });
    put_options(j, "options", c.options);
    put_commands(j, "subcommands", c.subcommands);
  });
}

}  // namespace

int print_command_tree() {
  auto j = open_json("help");
  j.text("summary", program_summary);
  j.text("exit_status", exit_codes);
  put_options(j, "global_options", global_flags);
  put_commands(j, "commands", all_commands());
  print_json(std::move(j));
  return done;
}

int print_names() {
  for (const auto name : all_names()) print(std::string(name) + "\n");
  return done;
}

}  // namespace floe::cli
