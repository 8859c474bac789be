#include "cli/troubles.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

/// Kinds that say why a node is not connected, of one node one of them; and how much each says. Who has started since knows
/// less than who was there, and who has heard a goodbye most.
const std::map<std::string, int, std::less<>> absences{{"no-answer", 0}, {"never-seen", 0},
                                                       {"silent", 1},    {"ended", 1},
                                                       {"kept-out", 1},  {"shut-down", 2}};

std::vector<known_trouble> troubles_of(const std::string& report, pnn told_by) {
  const auto j = json::parse(report, nullptr, false);
  std::vector<known_trouble> all;
  if (!j.is_object()) return all;
  const auto text = [](const json& t, const char* name) {
    const auto v = t.value(name, json());
    return v.is_string() ? wire::visible(v.get<std::string>()) : std::string();
  };
  for (const auto& t : j.value("troubles", json::array())) {
    if (!t.is_object()) continue;
    known_trouble k{
        .kind = text(t, "kind"),
        .text = text(t, "text"),
        .says = text(t, "says"),
        .next = text(t, "next"),
        .db = t.value("db", json()).is_string() ? t["db"].get<std::string>() : std::string(),
        .node = {},
        .age_ms = {},
        .ill = t.value("ill", true),
        .told_by = told_by,
        .follows = t.value("follows", false)};
    if (const auto n = t.value("node", json()); n.is_number_unsigned())
      k.node = pnn{n.get<std::uint32_t>()};
    if (const auto age = t.value("age_ms", json()); age.is_number_integer())
      k.age_ms = age.get<std::int64_t>();
    all.push_back(std::move(k));
  }
  return all;
}

/// Whose report it is; a text that is none has no troubles either.
pnn node_of(const std::string& report) {
  const auto j = json::parse(report, nullptr, false);
  const auto n = j.is_object() ? j.value("node", json()) : json();
  return n.is_number_unsigned() ? pnn{n.get<std::uint32_t>()} : pnn::unknown;
}

bool same_thing(const known_trouble& a, const known_trouble& b) {
  const bool absent = absences.contains(a.kind) && absences.contains(b.kind);
  return (a.kind == b.kind || absent) && a.db == b.db && a.node == b.node;
}

/// A trouble of which the same may be said of other nodes or databases: "1" and " cannot use the cluster lock ...", and what stands
/// before several such names. Without a name: it stands alone.
struct subject_and_rest {
  std::string name, rest;
  std::string_view before_many;
};
subject_and_rest split_subject(const known_trouble& t) {
  if (t.says.empty()) return {};
  const auto node = t.node ? std::to_string(number(*t.node)) : std::string();
  if (t.kind == "cluster-lock") return {node, " " + t.says, "nodes "};
  if (t.kind == "nodes-file") return {node, " " + t.says, "the nodes file of nodes "};
  if (t.kind == "storage") return {wire::visible(t.db), ": " + t.says, ""};
  return {};
}

std::string with_age(const known_trouble& t, const std::string& text) {
  if (t.kind == "silent") return text;  // which says for how long
  return t.age_ms ? text + ", for " + age_text(static_cast<double>(*t.age_ms)) : text;
}

/// Who is meant knows best; of a recovery whoever has most to say, which is the leader.
bool knows_more(const known_trouble& a, const known_trouble& b) {
  const bool own_a = a.node == a.told_by, own_b = b.node == b.told_by;
  if (own_a != own_b) return own_a;
  if (const auto i = absences.find(a.kind), j = absences.find(b.kind);
      i != absences.end() && j != absences.end())
    return i->second > j->second;
  return a.kind == "recovery" && a.text.size() > b.text.size();
}

}  // namespace

std::vector<pnn> reachable(const node_map& map) {
  std::vector<pnn> all;
  for (const auto& n : map.nodes)
    if (!(n.flags & (node_flag::deleted | node_flag::disconnected))) all.push_back(n.pnn);
  return all;
}

node_reports ask_reports(blocking_client& c, const std::vector<pnn>& nodes, duration patience) {
  node_reports all;
  for (const auto& one : c.control_many(nodes, control::get_node_status, {}, patience))
    if (const auto report = decode_answer<control::get_node_status>(one.reply, one.node))
      all.emplace(one.node, std::string(report->value.value));
  return all;
}

std::vector<known_trouble> troubles_in(const node_reports& reports, pnn first,
                                       std::vector<known_trouble> more) {
  std::vector<known_trouble> all;
  const auto take = [&](std::vector<known_trouble> told) {
    for (auto& t : told) {
      const auto known = std::ranges::find_if(all, [&](const auto& k) { return same_thing(k, t); });
      if (known == all.end())
        all.push_back(std::move(t));
      else if (knows_more(t, *known))
        *known = std::move(t);
    }
  };
  if (const auto own = reports.find(first); own != reports.end())
    take(troubles_of(own->second, own->first));
  for (const auto& [n, report] : reports)
    if (n != first) take(troubles_of(report, n));
  take(std::move(more));
  std::ranges::stable_partition(all, [](const auto& t) { return !t.follows; });
  return all;
}

std::vector<known_trouble> in_fewer_words(std::vector<known_trouble> all) {
  struct group {
    known_trouble first;
    std::vector<std::string> names;  ///< of nodes or databases of which the same is said
    subject_and_rest subject;
  };
  std::vector<group> groups;
  for (auto& t : all) {
    auto s = split_subject(t);
    const auto known = std::ranges::find_if(groups, [&](const group& g) {
      return !s.name.empty() && g.first.kind == t.kind && g.subject.rest == s.rest;
    });
    if (known == groups.end()) {
      groups.push_back({std::move(t), {s.name}, std::move(s)});
      continue;
    }
    known->names.push_back(std::move(s.name));
    if (t.age_ms) known->first.age_ms = std::max(known->first.age_ms.value_or(0), *t.age_ms);
  }
  std::vector<known_trouble> fewer;
  for (auto& g : groups) {
    if (g.names.size() > 1)
      g.first.text =
          fmt::format("{}{}{}", g.subject.before_many, fmt::join(g.names, ", "), g.subject.rest);
    fewer.push_back(std::move(g.first));
  }
  return fewer;
}

std::string reason_of(const std::vector<known_trouble>& all, pnn node, reasons which) {
  std::string reason;
  for (const auto& t : all) {
    if (t.node != node || !t.ill) continue;
    if (which == reasons::without_databases && !t.db.empty()) continue;
    const bool of_node = t.db.empty() && !t.says.empty();
    reason += (reason.empty() ? "" : "; ") + with_age(t, of_node ? t.says : t.text);
  }
  return reason;
}

std::string with_age(const known_trouble& t) { return with_age(t, t.text); }

std::optional<known_trouble> first_ill(const std::string& report) {
  const auto self = node_of(report);
  const auto all = troubles_in({{self, report}}, self);
  const auto near = [&](const auto& t) { return t.ill && t.node.value_or(self) == self; };
  auto i = std::ranges::find_if(all, near);
  if (i == all.end()) i = std::ranges::find_if(all, &known_trouble::ill);
  return i == all.end() ? std::nullopt : std::optional(*i);
}

std::string first_illness(const std::string& report) {
  const auto t = first_ill(report);
  return t ? with_age(*t) : std::string();
}

void put_trouble(wire::json_writer& j, const known_trouble& t) {
  j.begin_object();
  j.text("kind", t.kind);
  j.text("text", t.text);
  j.text("next", t.next);
  if (t.db.empty())
    j.null("db");
  else
    j.text("db", t.db);
  if (t.node)
    j.number("node", number(*t.node));
  else
    j.null("node");
  if (t.age_ms)
    j.integer("age_ms", *t.age_ms);
  else
    j.null("age_ms");
  j.boolean("ill", t.ill);
  j.number("told_by", number(t.told_by));
  j.end();
}

}  // namespace floe::cli
