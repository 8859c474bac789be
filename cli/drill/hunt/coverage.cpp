#include "cli/drill/hunt/coverage.hpp"

#include <algorithm>

#include "actors/timeline.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::size_t recent_kept = 4;

bool is_event(std::string_view name) {
  return std::ranges::find(timeline_events, name, &timeline_event_info::name) != timeline_events.end();
}

std::string_view value_of(std::string_view line, std::string_view name) {
  const auto at = line.find(name);
  if (at == std::string_view::npos) return {};
  const auto rest = line.substr(at + name.size());
  return rest.substr(0, rest.find(' '));
}

/// The event and what changed, if that is a word and not a number: "freeze-state thawed->freezing".
std::string kind_of(std::string_view name, std::string_view rest) {
  std::string kind(name);
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto word = rest.substr(0, end);
    const bool change = word.find("->") != std::string_view::npos;
    const bool state = word.starts_with("from=") || word.starts_with("to=") || word.starts_with("state=");
    if ((change || state) && word.find_first_of("0123456789") == std::string_view::npos) kind += " " + std::string(word);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return kind;
}

/// FNV-1a: equal on all machines.
std::uint32_t hash(std::string_view text, std::uint32_t h) {
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return (h ^ 0xff) * 16'777'619u;
}

}  // namespace

void coverage_map::pair(std::string_view before, std::string_view after, std::string_view where) {
  pairs_.insert(hash(where, hash(after, hash(before, 2'166'136'261u))) % size);
}

void coverage_map::log(std::size_t node, std::string_view line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto name = line.substr(0, end);
  if (!is_event(name)) return;
  const auto kind = kind_of(name, line.substr(end));
  auto& n = nodes_[node];
  std::string where = n.active ? "active" : "normal";
  where += n.closed.empty() ? "" : n.closed.size() == 1 ? " one closed" : " closed";
  pair(n.last, kind, where);
  if (last_node_ != node) pair(last_, kind, "from another node");
  pair(last_verb_, kind, "after");
  if (name == "recovery-mode") n.active = line.find("->active") != std::string_view::npos;
  if (name == "freeze-state") {
    std::string db(value_of(line, " db="));
    if (line.find("->thawed") != std::string_view::npos)
      n.closed.erase(db);
    else
      n.closed.insert(std::move(db));
  }
  n.last = last_ = kind;
  last_node_ = node;
  std::erase(recent_, kind);
  recent_.push_back(kind);
  if (recent_.size() > recent_kept) recent_.erase(recent_.begin());
}

void coverage_map::played(std::string_view statement) {
  const auto verb = statement.substr(0, statement.find(' '));
  if (verb == "wait" || verb == "within") return;
  pair(last_verb_, verb, last_);
  last_verb_ = verb;
}

std::string coverage_map::last_events() const {
  std::string text;
  for (const auto& e : recent_) text += (text.empty() ? "" : ", ") + e;
  return text;
}

}  // namespace floe::cli::drill
