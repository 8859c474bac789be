#include "cli/config/settings_file.hpp"

namespace floe::cli {
namespace {

bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view s) {
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

/// A line as ctdbd sees it: those that follow a backslash joined, several blanks as one.
struct logical_line {
  std::string text;
  int number = 0;
};

class line_reader {
 public:
  explicit line_reader(std::string_view text) : rest_(text) {}

  /// False at the end; comments and blank lines are passed over.
  bool next(logical_line& out) {
    for (std::string_view raw; take(raw);) {
      const auto content = trim(raw);
      if (content.empty() || content.front() == '#' || content.front() == ';') continue;
      out = {.text = {}, .number = number_};
      append(out.text, content);
      // a blank that follows the backslash was squeezed, or cut, before ctdbd looked
      while (out.text.ends_with('\\')) {
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
};

}  // namespace

std::expected<std::vector<setting>, std::string> read_settings(std::string_view text) {
  std::vector<setting> all;
  std::string section;
  line_reader lines(text);
  for (logical_line line; lines.next(line);) {
    const auto wrong = [&](std::string_view what) {
      return std::unexpected("line " + std::to_string(line.number) + ": " + std::string(what));
    };
    const std::string_view content = line.text;
    if (content.front() == '[') {
      const auto end = content.find(']');
      if (end == std::string_view::npos) return wrong("a section's name must end with ]");
      section = small(content.substr(1, end - 1));
      if (!trim(content.substr(end + 1)).empty())
        return wrong("there is more behind the section's name");
      continue;
    }
    const auto equals = content.find('=');
    if (equals == std::string_view::npos) return wrong("neither [section] nor name = value");
    const auto name = trim(content.substr(0, equals));
    if (name.empty()) return wrong("a value without a name");
    if (section.empty()) return wrong("a value before the first [section]");
    all.push_back(
        {section, std::string(name), std::string(trim(content.substr(equals + 1))), line.number});
  }
  return all;
}

}  // namespace floe::cli
