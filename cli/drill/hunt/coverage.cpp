#include "cli/drill/hunt/coverage.hpp"

#include <algorithm>

#include "actors/events.hpp"
#include "protocol/recovery_mode.hpp"
#include "protocol/rules/freeze.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::size_t recent_kept = 4;

/// The event and what changed, if that is a word and not a number: "freeze-state thawed->freezing".
std::string kind_of(const event_line& e) {
  std::string kind(name(e));
  each_field(e, [&](const event_field& f) {
    const bool state = f.name == "from" || f.name == "to" || f.name == "good";
    if (!state || f.value.find_first_of("0123456789") != std::string_view::npos) return;
    kind.append(" ").append(f.name).append(" ").append(f.value);
  });
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
  const auto e = parse_event(line);
  if (!e || !info(e->id).on_timeline) return;
  const auto kind = kind_of(*e);
  auto& n = nodes_[node];
  std::string where = n.active ? "active" : "normal";
  where += n.closed.empty() ? "" : n.closed.size() == 1 ? " one closed" : " closed";
  pair(n.last, kind, where);
  if (last_node_ != node) pair(last_, kind, "from another node");
  pair(last_verb_, kind, "after");
  if (const auto mode = as<event::recovery_mode>(*e))
    n.active = mode->to == name(recovery_mode::active);
  if (const auto freeze = as<event::freeze_state>(*e)) {
    if (freeze->to == name(freeze_state::thawed))
      n.closed.erase(e->db);
    else
      n.closed.insert(e->db);
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
