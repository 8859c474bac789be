/// The program floe: reads the command line by the table of commands and runs one of them.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "actors/version.hpp"
#include "cli/command_tree.hpp"
#include "cli/context.hpp"
#include "cli/duration_text.hpp"
#include "cli/help_format.hpp"
#include "cli/hidden.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "cli/standard_streams.hpp"
#include "cli/wrong_use.hpp"
#include "protocol/rules/elapsed.hpp"

namespace {

using namespace floe::cli;
using floe::duration;
using floe::in_seconds;

/// CLI11 stores values here while it parses.
struct bound_command {
  const command* what;
  CLI::App* app;
  std::map<std::string, std::string> values;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, bool> flags;
};

void bind(CLI::App& parent, const command& c, std::vector<std::unique_ptr<bound_command>>& all) {
  auto* app = parent.add_subcommand(c.name, c.summary);
  app->group(c.group);
  app->fallthrough();
  app->footer(std::string(c.subcommands.empty() ? "Example:\n" : "Examples:\n") + c.example + "\n");
  if (!c.subcommands.empty()) {
    app->require_subcommand(1);
    for (const auto& s : c.subcommands) bind(*app, s, all);
    return;
  }
  all.push_back(std::make_unique<bound_command>(bound_command{&c, app, {}, {}, {}}));
  auto& b = *all.back();
  for (const auto& p : c.positionals) {
    auto* o = p.many ? app->add_option(p.name, b.lists[p.name], p.help)
                     : app->add_option(p.name, b.values[p.name], p.help);
    o->type_name("");
    if (p.required) o->required();
  }
  for (const auto& o : c.options) {
    if (o.value)
      app->add_option(o.name, b.values[key_of(o)], o.help)->type_name(o.value);
    else
      app->add_flag(o.name, b.flags[key_of(o)], o.help);
  }
}

arguments collect(const bound_command& b) {
  arguments a;
  const auto given = [&](const std::string& name) { return b.app->get_option(name)->count() > 0; };
  for (const auto& p : b.what->positionals)
    if (given(p.name))
      a.set(p.name, p.many ? b.lists.at(p.name) : std::vector{b.values.at(p.name)});
  for (const auto& o : b.what->options)
    if (const auto key = key_of(o); given(key)) a.set(key, {o.value ? b.values.at(key) : "true"});
  return a;
}

/// As the parser wants it: empty, or what is wrong.
std::string refuse_no_duration(const std::string& text) {
  const auto d = parse_duration(text);
  return d && *d > duration{0} ? std::string() : not_a_duration(text);
}

std::string refuse_no_node(const std::string& text) {
  return text.empty() ? "it names no node: a number, several joined by commas, or `all`" : "";
}

chosen_command chosen_in(const CLI::App& app, const std::vector<command>& commands) {
  chosen_command c;
  auto parsed = app.get_subcommands();
  for (const auto* among = &commands; !parsed.empty();) {
    const auto name = parsed.front()->get_name();
    const auto found = std::ranges::find(*among, name, &command::name);
    if (found == among->end()) break;
    c.path += (c.path.empty() ? "" : " ") + name;
    c.what = &*found;
    among = &found->subcommands;
    parsed = parsed.front()->get_subcommands();
  }
  return c;
}

/// `floe help status` means `floe status --help`; `floe help drill` the language of drills, `floe help drill VERB` a verb of
/// it, and `floe help drill run` the command. `help` stood at this place, and is taken out already.
std::vector<std::string> with_help_last(const std::vector<command>& commands,
                                        std::vector<std::string> words, std::ptrdiff_t place) {
  const auto is_command = [&](std::string_view name) {
    const auto& parts =
        std::ranges::find(commands, std::string_view("drill"), &command::name)->subcommands;
    return std::ranges::find(parts, name, &command::name) != parts.end();
  };
  const auto first = words.begin() + place;
  if (first != words.end() && *first == "drill" &&
      (first + 1 == words.end() || !is_command(first[1])))
    words.insert(first + 1, "help");
  else
    words.emplace_back("--help");
  return words;
}

/// Options of every command, where they are not in the context.
struct common_values {
  std::string timeout;
  bool in_rows = false;
  std::string separator = "|";
};

void add_global_flags(CLI::App& app, global_options& o, common_values& more) {
  const auto takes = [&](const option& what, auto& into) {
    return app.add_option(what.name, into, what.help)->type_name(what.value);
  };
  const auto& [base, socket, node, patience_flag, json, rows, rows_too, between] = global_flags;
  takes(base, o.base);
  takes(socket, o.socket);
  takes(node, o.node)->check(CLI::Validator(refuse_no_node, ""));
  takes(patience_flag, more.timeout)->check(CLI::Validator(refuse_no_duration, ""));
  app.add_flag(json.name, o.json, json.help);
  app.add_flag(rows.name, more.in_rows, rows.help);
  app.add_flag(rows_too.name, more.in_rows, rows_too.help);
  takes(between, more.separator);
}

void describe_program(CLI::App& app) {
  app.set_help_all_flag();
  app.formatter(std::make_shared<help_format>());
  app.set_version_flag("--version",
                       fmt::format("floe {}, for the protocol of CTDB 4.17", floe::program_version),
                       "the version of this program; `floe cluster version`: of all nodes");
  app.require_subcommand(1);
  app.footer(std::string("`floe help COMMAND` says more of one, `floe help drill` is the language "
                         "of drills.\n\n") +
             exit_codes);
}

/// Help, and the version.
int print_answer(const CLI::App& app, const CLI::ParseError& asked) {
  std::ostringstream text;
  const int code = app.exit(asked, text, text);
  print(text.str());
  return code;
}

/// An exit code, if there is nothing to run.
std::optional<int> parse(CLI::App& app, const std::vector<command>& commands, int argc,
                         char** argv) {
  std::vector<char*> said(argv, argv + argc);
  const int place = place_of_command(argc, argv);
  const bool helps = place > 0 && std::string_view(argv[place]) == "help";
  if (helps) said.erase(said.begin() + place);  // the command's name comes after it
  argc = static_cast<int>(said.size());
  argv = said.data();
  try {
    std::vector<std::string> words(argv + 1, argv + argc);
    if (helps) words = with_help_last(commands, std::move(words), place - 1);
    std::ranges::reverse(words);  // as the parser wants them
    app.parse(words);
  } catch (const CLI::CallForHelp& e) {
    const auto wrong = misspelt_command(commands, argc, argv);
    if (wrong.empty()) return print_answer(app, e);
    print_error(wrong);
    return wrong_use;
  } catch (const CLI::CallForVersion& e) {
    return print_answer(app, e);
  } catch (const CLI::ParseError& e) {
    if (argc > 1) {
      print_error(what_is_wrong(chosen_in(app, commands), e.what(), commands, argc, argv));
      return wrong_use;
    }
    std::fputs(app.help().c_str(), stderr);
    return wrong_use;
  }
  return std::nullopt;
}

int run_chosen(const std::vector<std::unique_ptr<bound_command>>& bound, global_options options,
               const std::string& path) {
  const auto chosen = std::ranges::find_if(bound, [](const auto& b) { return b->app->parsed(); });
  if (chosen == bound.end()) return wrong_use;
  options.doing = path;
  context c(std::move(options));
  return (*chosen)->what->run(c, collect(**chosen));
}

/// What was printed has been taken, or it is said why not. Who reads only the beginning, as `head` does, wants no more.
int with_output(int code) {
  if (flush_output() || output_error() == EPIPE) return code;
  print_error(fmt::format("standard output: {}", std::strerror(output_error())));
  return failed;
}

int run_program(int argc, char** argv) {
  if (std::any_of(argv, argv + argc,
                  [](const char* word) { return std::string_view(word) == "--json"; }))
    print_errors_as_json();
  if (argc == 3 && std::string_view(argv[1]) == "help" && std::string_view(argv[2]) == "--json")
    return print_command_tree();
  if (argc == 3 && std::string_view(argv[1]) == "help" && std::string_view(argv[2]) == "--names")
    return print_names();

  global_options options;
  if (const char* base = std::getenv("CTDB_BASE")) options.base = base;
  common_values more;
  CLI::App app(program_summary, "floe");
  describe_program(app);
  add_global_flags(app, options, more);
  const auto commands = all_commands();
  std::vector<std::unique_ptr<bound_command>> bound;
  // the parser learns of all of them only where it has to list them, or has to say that there is none of that name
  const int named = place_of_command(argc, argv);
  const auto* only = named > 0 ? command_named(commands, argv[named]) : nullptr;
  for (const auto& c : commands)
    if (!only || only == &c) bind(app, c, bound);

  if (const auto code = parse(app, commands, argc, argv)) return *code;
  if (more.separator.size() != 1) {
    print_error("-x takes one character");
    return wrong_use;
  }
  if (more.in_rows) write_machine_rows(more.separator.front());
  if (!more.timeout.empty()) options.timeout_s = in_seconds(*parse_duration(more.timeout));
  return run_chosen(bound, std::move(options), chosen_in(app, commands).path);
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto code = run_hidden(argc, argv)) return *code;
  return with_output(run_program(argc, argv));
}
