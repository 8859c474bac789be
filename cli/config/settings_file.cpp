#include "cli/config/settings_file.hpp"

namespace floe::cli {
namespace {

bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_blanks(std::string_view s) {
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

std::string small(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

class line_reader {
 public:
  explicit line_reader(std::string_view text) : rest_(text) {}

  /// False at the end; comments and blank lines are passed over.
  bool next(config_line& out) {
    for (std::string_view raw; take(raw);) {
      const auto content = without_blanks(raw);
      if (content.empty() || content.front() == '#' || content.front() == ';') continue;
      out = {.text = {}, .number = number_};
      append(out.text, content);
      // a blank that follows the backslash was squeezed, or cut, before ctdbd looked; at the end of the file there is
      // no line to go on with, and the backslash is part of the value
      while (out.text.ends_with('\\') && ended_) {
        out.text.pop_back();
        if (!take(raw)) break;
        append(out.text, raw);
        while (!out.text.empty() && blank(out.text.back())) out.text.pop_back();
      }
      return true;
    }
    return false;
  }

 private:
  bool take(std::string_view& line) {
    if (rest_.empty()) return false;
    ++number_;
    const auto end = rest_.find('\n');
    ended_ = end != std::string_view::npos;
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return true;
  }
  static void append(std::string& to, std::string_view part) {
    for (const char c : part)
      if (!blank(c) || to.empty() || !blank(to.back())) to += c;
  }

  std::string_view rest_;
  int number_ = 0;
  bool ended_ = false;  ///< the last line taken had an end
};

}  // namespace

std::vector<config_line> read_config_lines(std::string_view text) {
  std::vector<config_line> all;
  line_reader lines(text);
  for (config_line line; lines.next(line);) all.push_back(std::move(line));
  return all;
}

settings_text read_settings(std::string_view text) {
  settings_text read;
  std::string section;
  for (const auto& line : read_config_lines(text)) {
    const auto wrong = [&](std::string_view what) {
      read.errors.push_back("line " + std::to_string(line.number) + ": " + std::string(what));
    };
    const std::string_view content = line.text;
    if (content.front() == '[') {
      const auto end = content.find(']');
      section = small(content.substr(1, end == content.npos ? end : end - 1));
      if (end == content.npos) {
        wrong("a section's name must end with ]; ctdbd would read neither it nor what follows");
        continue;
      }
      read.sections.push_back({section, line.number});
      const auto rest = without_blanks(content.substr(end + 1));
      if (!rest.empty() && rest.front() != '#' && rest.front() != ';')
        wrong("there is more behind the section's name, which ctdbd would pass over");
      continue;
    }
    const auto equals = content.find('=');
    const auto name = without_blanks(content.substr(0, equals));
    if (equals == content.npos)
      wrong("neither [section] nor name = value, which ctdbd would pass over");
    else if (name.empty())
      wrong("a value without a name; ctdbd would read neither it nor what follows");
    else if (section.empty() && read.sections.empty())
      wrong("a value before the first [section]");
    else
      read.settings.push_back({section, std::string(name),
                               std::string(without_blanks(content.substr(equals + 1))),
                               line.number});
  }
  return read;
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 80;
  if (text.size() <= most) return std::string(text);
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "... (" + std::to_string(text.size()) + " bytes)";
}

}  // namespace floe::cli
