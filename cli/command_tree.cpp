#include "cli/command_tree.hpp"

#include "cli/decode/lookup.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

void write_option(wire::json_writer& j, const option& o) {
  j.begin_object();
  j.text("name", o.name);
  j.text("value", o.value ? o.value : "");
  j.text("help", o.help);
  j.end();
}

void write_command(wire::json_writer& j, const command& c) {
  j.begin_object();
  j.text("name", c.name);
  j.text("group", c.group);
  j.text("summary", c.summary);
  j.text("example", c.example);
  j.begin_list("positionals");
  for (const auto& p : c.positionals) {
    j.begin_object();
    j.text("name", p.name);
    j.text("help", p.help);
    j.boolean("required", p.required);
    j.boolean("many", p.many);
    j.end();
  }
  j.end();
  j.begin_list("options");
  for (const auto& o : c.options) write_option(j, o);
  j.end();
  j.begin_list("subcommands");
  for (const auto& s : c.subcommands) write_command(j, s);
  j.end();
  j.end();
}

}  // namespace

int print_command_tree() {
  auto j = open_json("help");
  j.text("summary", program_summary);
  j.text("exit_status", exit_codes);
  j.begin_list("global_options");
  for (const auto& o : global_flags) write_option(j, o);
  j.end();
  j.begin_list("commands");
  for (const auto& c : all_commands()) write_command(j, c);
  j.end();
  print_json(std::move(j));
  return done;
}

int print_names() {
  for (const auto name : all_names()) print(std::string(name) + "\n");
  return done;
}

}  // namespace floe::cli
