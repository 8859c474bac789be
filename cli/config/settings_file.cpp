#include "cli/config/settings_file.hpp"

namespace floe::cli {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trim(std::string_view s) {
  const auto begin = s.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(blanks) - begin + 1);
}

std::string canonical(std::string_view name) {
  std::string out;
  for (const char c : trim(name)) {
    const bool blank = blanks.find(c) != std::string_view::npos;
    if (blank && out.ends_with(' ')) continue;
    out += blank ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

std::expected<std::vector<setting>, std::string> read_settings(std::string_view text) {
  std::vector<setting> all;
  std::string section;
  int line_number = 0;
  const auto wrong = [&](std::string_view what) {
    return std::unexpected("line " + std::to_string(line_number) + ": " + std::string(what));
  };
  while (!text.empty()) {
    ++line_number;
    const auto end = text.find('\n');
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      if (line.back() != ']') return wrong("a section's name must end with ]");
      section = canonical(line.substr(1, line.size() - 2));
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return wrong("neither [section] nor name = value");
    auto name = canonical(line.substr(0, equals));
    if (name.empty()) return wrong("a value without a name");
    if (section.empty()) return wrong("a value before the first [section]");
    all.push_back(
        {section, std::move(name), std::string(trim(line.substr(equals + 1))), line_number});
  }
  return all;
}

}  // namespace floe::cli
