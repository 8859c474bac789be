#include "cli/wrong_use.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command_tree.hpp"
#include "cli/successors.hpp"
#include "cli/suggest.hpp"

namespace floe::cli {
namespace {

/// An option of every command whose value is the next word.
bool takes_a_word(std::string_view word) {
  return std::ranges::any_of(global_flags, [&](const option& o) {
    const std::string_view names = o.name;
    const auto comma = names.find(',');
    return o.value && (word == names.substr(0, comma) ||
                       (comma != names.npos && word == names.substr(comma + 1)));
  });
}

std::string ask_for_help(const chosen_command& c) {
  return fmt::format("`floe {}--help`", c.path.empty() ? "" : c.path + " ");
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

bool takes_a_key(const std::vector<command>& commands, std::string_view name) {
  const auto* c = command_named(commands, name);
  return c && std::ranges::any_of(c->positionals, [](const positional& p) {
           return std::string_view(p.name) == "KEY" || std::string_view(p.name) == "VALUE";
         });
}

}  // namespace

std::string key_of(const option& o) {
  const std::string name = o.name;
  return name.substr(name.rfind(',') + 1);
}

/// Where the first word is that is neither an option nor the value of one: what is meant to be a command. 0: there is none.
int place_of_command(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (takes_a_word(word))
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

std::string misspelt_command(const std::vector<command>& commands, int argc, char** argv) {
  const int i = place_of_command(argc, argv);
  if (i == 0) return {};
  const std::string_view word = argv[i];
  if (const auto* c = command_named(commands, word))
    return i + 1 < argc ? misspelt_part(*c, argv[i + 1]) : std::string();
  if (const auto instead = successor_of(word); !instead.empty())
    return fmt::format("no such command: {} is ctdb's; {}", word, instead);
  std::vector<std::string_view> names;
  for (const auto& c : commands) names.emplace_back(c.name);
  const auto near = closest(word, names);
  return "no such command: " + std::string(word) +
         (near ? "; did you mean " + std::string(*near) + "?" : "; `floe --help` lists them");
}

std::string what_is_wrong(const chosen_command& chosen, std::string_view said,
                          const std::vector<command>& commands, int argc, char** argv) {
  const bool about_keys =
      chosen.what && takes_a_key(commands, chosen.path.substr(0, chosen.path.find(' ')));
  auto text = misspelt_option(chosen, argc, argv);
  // a value that looks like an option is more likely where one is taken
  if (!text.empty() && about_keys) text += "; a key or value that begins with - comes after --";
  if (text.empty()) text = misspelt_command(commands, argc, argv);
  if (text.empty()) {
    text = fmt::format("{}; {} says more", said, ask_for_help(chosen));
    if (about_keys) text += ", and a key or value that begins with - comes after --";
  }
  return text;
}

}  // namespace floe::cli
