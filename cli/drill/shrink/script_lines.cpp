#include "cli/drill/shrink/script_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/drill/report/trace_line.hpp"
#include "cli/drill/run/said.hpp"
#include "cli/script_words.hpp"

namespace floe::cli::drill {
namespace {

using names = std::set<std::string, std::less<>>;

/// The plain lines of a script by their numbers.
void collect(const std::vector<statement>& body, std::map<unsigned, const statement*>& plain) {
  for (const auto& s : body) {
    if (s.is == verb::kind::plain) plain[s.line] = &s;
    for (const auto& b : s.blocks) collect(b, plain);
  }
}

/// If one word of the line means a node that was chosen while playing: the line with its number.
std::string with_node(const std::string& line, std::uint32_t node, const names& moving) {
  std::string out, word;
  std::size_t moved = 0;
  const auto flush = [&] {
    const bool moves = moving.contains(word);
    moved += moves;
    out += moves ? std::to_string(node) : word;
    word.clear();
  };
  for (const char c : line + " ") {
    if (c != ' ' && c != ',') {
      word += c;
      continue;
    }
    flush();
    out += c;
  }
  out.pop_back();
  return moved == 1 ? out : line;
}

script_lines from_trace(const script& s, const std::vector<std::string>& trace, bool fix_nodes) {
  std::map<unsigned, const statement*> plain;
  collect(s.body, plain);
  script_lines all;
  names moving{"any", "leader", "follower"};
  bool current = false, named = false;
  for (const auto& text : trace) {
    const auto l = read_trace_line(text);
    if (!l || l->who != "drill") continue;
    if (l->text == said::faults_over) break;
    if (const auto p = read_played(*l)) {
      const auto i = plain.find(p->line);
      current = i != plain.end();
      named = false;
      if (!current) continue;
      all.push_back({.text = i->second->text});
      if (const auto words = split_words(i->second->text);
          words && words->size() > 2 && words->front() == "let")
        moving.insert((*words)[1]);
    } else if (const auto d = read_done(*l); d && fix_nodes && current && !named) {
      all.back().text = with_node(all.back().text, d->node, moving);
      named = true;
    }
  }
  return all;
}

}  // namespace

script_lines lines_of(const std::vector<statement>& body) {
  script_lines all;
  for (const auto& s : body) {
    script_line l{.text = s.text, .is = s.is, .times = s.times};
    for (const auto& b : s.blocks) l.blocks.push_back(lines_of(b));
    all.push_back(std::move(l));
  }
  return all;
}

std::string text_of(const script_lines& lines, std::size_t indent) {
  const std::string room(indent, ' ');
  std::string out;
  for (const auto& l : lines) {
    out += room + (l.is == verb::kind::repeat ? fmt::format("repeat {}", l.times) : l.text) + "\n";
    for (std::size_t i = 0; i < l.blocks.size(); ++i) {
      if (i > 0) out += room + "or\n";
      out += text_of(l.blocks[i], indent + 2);
    }
    if (!l.blocks.empty()) out += room + "end\n";
  }
  return out;
}

std::size_t count_of(const script_lines& lines) {
  std::size_t n = 0;
  for (const auto& l : lines) {
    ++n;
    for (const auto& b : l.blocks) n += count_of(b);
  }
  return n;
}

std::string cluster_with_seed(const std::string& line, std::uint64_t seed) {
  const auto own = fmt::format("seed={}", seed);
  if (line.empty()) return "cluster " + own;
  const auto at = line.find(" seed=");
  if (at == std::string::npos) return line + " " + own;
  const auto end = std::min(line.find(' ', at + 1), line.size());
  return line.substr(0, at + 1) + own + line.substr(end);
}

script_lines played_lines(const script& s, const std::vector<std::string>& trace) {
  return from_trace(s, trace, false);
}
script_lines played_on_nodes(const script& s, const std::vector<std::string>& trace) {
  return from_trace(s, trace, true);
}

}  // namespace floe::cli::drill
