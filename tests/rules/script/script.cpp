#include "tests/rules/script/script.hpp"

#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <utility>

#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

std::string lines_of(const std::vector<std::string>& lines, std::string_view prefix = {}) {
  std::string all;
  for (const auto& l : lines) all += std::string(prefix) + l + "\n";
  return all;
}

std::vector<std::string> cut_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// Both texts line by line: what is in both once, what was expected only behind "-", what came only behind "+".
std::string difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& got) {
  // lengths of the longest common parts of what is left from (i, j) on
  std::vector length(expected.size() + 1, std::vector<std::size_t>(got.size() + 1, 0));
  for (std::size_t i = expected.size(); i-- > 0;)
    for (std::size_t j = got.size(); j-- > 0;)
      length[i][j] = expected[i] == got[j] ? length[i + 1][j + 1] + 1
                                           : std::max(length[i + 1][j], length[i][j + 1]);
  std::string out;
  for (std::size_t i = 0, j = 0; i < expected.size() || j < got.size();) {
    if (i < expected.size() && j < got.size() && expected[i] == got[j])
      out += "    " + expected[i++] + "\n", ++j;
    else if (j == got.size() || (i < expected.size() && length[i + 1][j] >= length[i][j + 1]))
      out += "  - " + expected[i++] + "\n";
    else
      out += "  + " + got[j++] + "\n";
  }
  return out;
}

/// Where we are, for the moment in which a rule aborts.
char now_playing[512];

void tell_where(int) {
  const std::string_view where(now_playing);
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, where.data(), where.size());
}

}  // namespace

script read_script(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw mistake(path.string() + ": cannot be read");
  script s;
  std::string text;
  script::part part;
  enum class reading { between, input, expected } where = reading::between;
  std::size_t line = 0;
  while (std::getline(in, text)) {
    ++line;
    const bool comment = text.starts_with('#');
    if (line == 1 && !comment)
      throw mistake(path.string() +
                    ":1: a script opens with a comment: the story, and what it guards");
    if (where == reading::between && (comment || text.empty())) {
      part.before.push_back(text);
    } else if (text == "----") {
      if (where != reading::input)
        throw mistake(path.string() + ":" + std::to_string(line) + ": ---- without a command");
      where = reading::expected;
    } else if (where == reading::expected && text.empty()) {
      s.parts.push_back(std::exchange(part, {}));
      part.before.push_back(text);
      where = reading::between;
    } else if (where == reading::expected) {
      part.what.expected.push_back(text);
    } else {
      if (where == reading::between) part.what.line = line;
      where = reading::input;
      part.what.input.push_back(text);
    }
  }
  if (where == reading::input)
    throw mistake(path.string() + ":" + std::to_string(part.what.line) +
                  ": a command without ----");
  if (where == reading::expected)
    s.parts.push_back(part);
  else
    s.after = part.before;
  if (s.parts.empty()) throw mistake(path.string() + ": nothing happens in it");
  return s;
}

outcome play(const std::filesystem::path& path, const script& s) {
  outcome o;
  world w;
  const auto previous = std::signal(SIGABRT, tell_where);
  for (const auto& part : s.parts) {
    const auto& what = part.what;
    const std::string at = path.string() + ":" + std::to_string(what.line);
    std::snprintf(now_playing, sizeof now_playing, "aborted at %s: %s\n", at.c_str(),
                  what.input[0].c_str());
    std::vector<std::string> got;
    try {
      got = cut_lines(run_line(w, what.input[0], {what.input.begin() + 1, what.input.end()}));
    } catch (const mistake& e) {
      got = {"mistake: " + std::string(e.what())};
      o.differences += at + ": " + e.what() + "\n";
    }
    if (got != what.expected)
      o.differences += at + ": " + what.input[0] + "\n" + difference(what.expected, got);
    o.rewritten += lines_of(part.before) + lines_of(what.input) + "----\n" + lines_of(got);
  }
  o.rewritten += lines_of(s.after);
  std::signal(SIGABRT, previous);
  return o;
}

}  // namespace floe::rule_script
