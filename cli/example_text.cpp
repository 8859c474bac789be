#include "cli/example_text.hpp"

#include <algorithm>

#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

constexpr std::string_view comment_mark = "   # ";

bool is_prose(std::string_view line) {
  const auto colon = line.find(": ");
  if (line.ends_with('.')) return true;
  return colon != line.npos && std::ranges::all_of(line.substr(0, colon), [](unsigned char x) {
           return std::isalpha(x) || x == ' ';
         });
}

/// The last blank before `limit` at which a shell may go on in the next line; npos: there is none.
std::size_t last_break(std::string_view command, std::size_t limit) {
  std::size_t found = command.npos;
  char quote = 0;
  for (std::size_t i = 0; i < command.size() && i <= limit; ++i) {
    const char c = command[i];
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ' ' && i > 0) {
      found = i;
    }
  }
  return found;
}

std::string broken_command(std::string_view command, std::size_t width) {
  constexpr std::string_view go_on = " \\\n    ";
  std::string out;
  std::size_t room = width > 2 ? width - 2 : 1;
  while (text_width(command) > room + 2) {
    const auto end = last_break(command, room);
    if (end == command.npos) break;
    out.append(command.substr(0, end)).append(go_on);
    command.remove_prefix(end + 1);
    room = width > 6 ? width - 6 : 1;
  }
  return out.append(command) + "\n";
}

std::string example_line(std::string_view line, std::size_t width) {
  if (text_width(line) <= width) return std::string(line) + "\n";
  if (is_prose(line)) return wrapped(line, width, 2) + "\n";
  const auto comment = line.find(comment_mark);
  if (comment == line.npos) return broken_command(line, width);
  const auto said = line.substr(line.find('#', comment));
  return wrapped(said, width, 2) + "\n" +
         example_line(line.substr(0, line.find_last_not_of(' ', comment) + 1), width);
}

}  // namespace

std::string example_text(std::string_view lines, std::size_t width) {
  std::string out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    out += example_line(lines.substr(0, end), width);
    lines.remove_prefix(end == lines.npos ? lines.size() : end + 1);
  }
  return out;
}

}  // namespace floe::cli
