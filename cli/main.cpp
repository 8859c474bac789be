/// The program floe: reads the command line by the table of commands and runs one of them.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/version.hpp"
#include "cli/command_tree.hpp"
#include "cli/context.hpp"
#include "cli/duration_text.hpp"
#include "cli/help_format.hpp"
#include "cli/hidden.hpp"
#include "cli/machine_rows.hpp"
#include "cli/successors.hpp"
#include "cli/suggest.hpp"
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

/// "-v,--verbose" is found as "--verbose".
std::string key_of(const option& o) {
  const std::string name = o.name;
  return name.substr(name.rfind(',') + 1);
}

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

/// The word after a command that has subcommands, when it is none of them.
std::string misspelt_part(const command& of, std::string_view word) {
  if (of.subcommands.empty() || word.starts_with('-')) return {};
  std::vector<std::string_view> names;
  for (const auto& c : of.subcommands) {
    if (word == c.name) return {};
    names.emplace_back(c.name);
  }
  const auto near = closest(word, names);
  return fmt::format("{} has no {}; {}", of.name, word,
                     near ? fmt::format("did you mean {} {}?", of.name, *near)
                          : fmt::format("`floe {} --help` says what it has", of.name));
}

/// The command that was chosen, as far as the words say: "drill", "drill run"; empty and null: none was.
struct chosen_command {
  std::string path;
  const command* what = nullptr;
};

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

std::string ask_for_help(const chosen_command& c) {
  return fmt::format("`floe {}--help`", c.path.empty() ? "" : c.path + " ");
}

void collect_options(const command& c, std::vector<std::string>& names) {
  for (const auto& o : c.options) names.push_back(key_of(o));
  for (const auto& s : c.subcommands) collect_options(s, names);
}

/// The first option that the chosen command does not have.
std::string misspelt_option(const chosen_command& c, int argc, char** argv) {
  std::vector<std::string> all{"--help", "--version"};
  for (const auto& o : global_flags) all.push_back(key_of(o));
  if (c.what) collect_options(*c.what, all);
  const std::vector<std::string_view> names(all.begin(), all.end());
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    const auto name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || std::ranges::find(names, name) != names.end()) continue;
    const auto near = closest(name, names);
    return fmt::format(
        "{}no such option: {}; {}", c.path.empty() ? "" : c.path + ": ", name,
        near ? fmt::format("did you mean {}?", *near) : ask_for_help(c) + " lists what there is");
  }
  return {};
}

/// Where the first word is that is neither an option nor the value of one: what is meant to be a command. 0: there is none.
int place_of_command(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (word == "--base" || word == "--socket" || word == "-n" || word == "--node" ||
        word == "-t" || word == "--timeout" || word == "-x" || word == "--separator")
      ++i;
    else if (!word.starts_with('-'))
      return i;
  }
  return 0;
}

const command* command_named(const std::vector<command>& commands, std::string_view word) {
  const auto c = std::ranges::find(commands, word, &command::name);
  return c == commands.end() ? nullptr : &*c;
}

std::string misspelt(const std::vector<command>& commands, int argc, char** argv) {
  const int i = place_of_command(argc, argv);
  if (i == 0) return {};
  const std::string_view word = argv[i];
  if (const auto* c = command_named(commands, word))
    return i + 1 < argc ? misspelt_part(*c, argv[i + 1]) : std::string();
  if (const auto instead = successor_of(word); !instead.empty())
    return fmt::format("no such command: {} is ctdb's; {}{}", word,
                       instead.starts_with("it is") ? "here " : "", instead);
  std::vector<std::string_view> names;
  for (const auto& c : commands) names.emplace_back(c.name);
  const auto near = closest(word, names);
  return "no such command: " + std::string(word) +
         (near ? "; did you mean " + std::string(*near) + "?" : "; `floe --help` lists them");
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

bool takes_a_key(const std::vector<command>& commands, const std::string& name) {
  const auto c = std::ranges::find(commands, name, &command::name);
  return c != commands.end() && std::ranges::any_of(c->positionals, [](const positional& p) {
           return std::string_view(p.name) == "KEY" || std::string_view(p.name) == "VALUE";
         });
}

int say_wrong_use(const CLI::ParseError& e, const CLI::App& app,
                  const std::vector<command>& commands, int argc, char** argv) {
  const auto chosen = chosen_in(app, commands);
  const bool about_keys =
      chosen.what && takes_a_key(commands, chosen.path.substr(0, chosen.path.find(' ')));
  auto text = misspelt_option(chosen, argc, argv);
  // a value that looks like an option is more likely where one is taken
  if (!text.empty() && about_keys) text += "; a key or value that begins with - comes after --";
  if (text.empty()) text = misspelt(commands, argc, argv);
  if (text.empty()) {
    text = fmt::format("{}; {} says more", e.what(), ask_for_help(chosen));
    if (about_keys) text += ", and a key or value that begins with - comes after --";
  }
  print_error(text);
  return wrong_use;
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
    const auto wrong = misspelt(commands, argc, argv);
    if (wrong.empty()) return app.exit(e);
    print_error(wrong);
    return wrong_use;
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    if (argc > 1) return say_wrong_use(e, app, commands, argc, argv);
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
  const int code = (*chosen)->what->run(c, collect(**chosen));
  // who reads only the beginning, as `head` does, wants no more
  return std::fflush(stdout) == 0 || errno == EPIPE ? code : failed;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto code = run_hidden(argc, argv)) return *code;
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
