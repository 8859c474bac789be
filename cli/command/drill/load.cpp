#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "cli/command/drill/subcommands.hpp"
#include "cli/suggest.hpp"

namespace floe::cli::drill {

const shipped_drill* find_shipped(std::string_view name) {
  for (const auto& d : shipped_drills())
    if (d.name == name) return &d;
  return nullptr;
}

std::expected<script, std::string> load(const std::string& name) {
  if (const auto* d = find_shipped(name)) return read_script(name, d->text);
  std::ifstream in(name);
  if (!in) {
    std::vector<std::string_view> names;
    for (const auto& d : shipped_drills()) names.push_back(d.name);
    const auto near = closest(name, names);
    return std::unexpected(fmt::format(
        "{}: no such file, and no drill of that name is shipped{}", name,
        near ? fmt::format("; did you mean {}?", *near) : "; `floe drill list` shows them"));
  }
  std::stringstream text;
  text << in.rdbuf();
  return read_script(name, text.str());
}

exit_code print_mistakes(std::string_view command, const std::string& mistakes) {
  std::istringstream lines(mistakes);
  for (std::string one; std::getline(lines, one);) print_error(fmt::format("{}: {}", command, one));
  return wrong_use;
}

}  // namespace floe::cli::drill
