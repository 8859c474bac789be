#include "actors/node/report/node_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "actors/hex.hpp"
#include "actors/node/report/health.hpp"
#include "actors/node/report/troubles.hpp"
#include "actors/version.hpp"
#include "protocol/constants.hpp"

namespace floe {
namespace {

using nlohmann::json;

std::string text_of(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char* kind_name(db_kind k) {
  if (k == db_kind::volatile_db) return "volatile";
  return k == db_kind::persistent ? "persistent" : "replicated";
}

json vacuum_json(const database_report& r) {
  return {{"queued", r.vacuum.queued},
          {"queue_bytes", r.vacuum.queue_bytes},
          {"left_out", r.vacuum.left_out},
          {"oldest_ms", r.vacuum.oldest_ms},
          {"running_ms", r.vacuum.running_ms < 0 ? json() : json(r.vacuum.running_ms)},
          {"runs", r.vacuum.runs},
          {"forgotten", r.vacuum.forgotten},
          {"sent_home", r.vacuum.sent_home},
          {"refused", r.vacuum.refused},
          {"compactions", r.vacuum.compactions},
          {"last_run_s", r.vacuum.last_run_seconds},
          {"last_run_forgotten", r.vacuum.last_run_forgotten}};
}

json copies_json(const database_report& r) {
  return {{"out", r.read_only.out},
          {"here", r.read_only.here},
          {"calling_back", r.read_only.calling_back},
          {"oldest_ms", r.read_only.oldest_ms},
          {"given", r.read_only.given},
          {"called_back", r.read_only.called_back}};
}

/// Who holds and who waits.
void add_locks(json& to, const database_report& r) {
  to["holders"] = json::array();
  for (const auto& h : r.holders)
    to["holders"].push_back({{"key", to_hex(h.key)},
                             {"client", h.client},
                             {"pid", h.pid},
                             {"name", h.name},
                             {"age_ms", h.age_ms}});
  to["waiters"] = json::array();
  for (const auto& w : r.waiters)
    to["waiters"].push_back({{"key", to_hex(w.key)},
                             {"client", w.client},
                             {"pid", w.pid},
                             {"name", w.name},
                             {"node", number(w.node)},
                             {"age_ms", w.age_ms},
                             {"why", w.why}});
}

json database_json(const database_report& r, pnn self) {
  const auto troubles = troubles_of(r, self);
  json j{{"id", fmt::format("{:#010x}", number(r.id))},
         {"name", r.name},
         {"path", r.path},
         {"kind", kind_name(r.kind)},
         {"generation", number(r.gen)},
         {"damage", r.damage.empty() ? json() : json(r.damage)},
         {"trouble", troubles.empty() ? "" : troubles.front().text},
         {"storage_trouble", r.storage_trouble.empty() ? json() : json(r.storage_trouble)},
         {"state", std::string(name(r.state))},
         {"state_age_ms", r.state_age_ms},
         {"records", r.records},
         {"locks_held", r.locks_held},
         {"locks_waiting", r.locks_waiting},
         {"migrations_pending", r.migrations_pending},
         {"migrations_done", r.migrations_done},
         {"migrations_resent", r.migrations_resent},
         {"changes",
          {{"state", std::string(name(r.changes.state))},
           {"since", number(r.changes.since)},
           {"keys", r.changes.keys},
           {"bytes", r.changes.bytes}}},
         {"sequence", r.sequence},
         {"file_bytes", r.bytes},
         {"work",
          {{"processor_s", r.work.processor_seconds},
           {"received_bytes", r.work.received},
           {"sent_bytes", r.work.sent},
           {"stored_bytes", r.work.stored}}}};
  for (const auto& h : r.hot)
    j["hot"].push_back({{"key", to_hex(h.key)}, {"per_second", h.rate}, {"hops", h.hops}});
  if (r.kind == db_kind::volatile_db) j["vacuum"] = vacuum_json(r);
  if (r.read_only.given > 0 || r.read_only.here > 0) j["read_only"] = copies_json(r);
  if (r.sticky > 0) j["sticky"] = r.sticky;
  if (!r.commit.empty()) j["commit"] = {{"state", r.commit}, {"age_ms", r.commit_age_ms}};
  add_locks(j, r);
  return j;
}

json nodes_json(const status_snapshot& s) {
  json all = json::array();
  for (std::size_t i = 0; i < s.view->nodes.size(); ++i) {
    const auto& n = s.view->nodes[i];
    all.push_back({{"pnn", i},
                   {"address", n.where.ip},
                   {"port", n.where.port},
                   {"flags", n.flags},
                   {"state", std::string(node_flags_text(n.flags))}});
    const auto absent = s.absent.find(pnn{static_cast<std::uint32_t>(i)});
    if (absent == s.absent.end()) continue;
    all.back()["absent"] = {{"kind", absent->second.kind},
                            {"text", absent->second.text},
                            {"age_ms", absent->second.age_ms}};
  }
  return all;
}

json trouble_json(const trouble& t) {
  return {{"kind", t.kind},
          {"text", t.text},
          {"says", t.says.empty() ? json() : json(t.says)},
          {"next", t.next},
          {"db", t.db.empty() ? json() : json(t.db)},
          {"node", t.node ? json(number(*t.node)) : json()},
          {"age_ms", t.age_ms < 0 ? json() : json(t.age_ms)},
          {"ill", t.ill},
          {"follows", t.follows}};
}

json lock_json(const cluster_lock_report& l) {
  if (l.setting.empty()) return {};
  return {
      {"setting", l.setting}, {"state", name(l.state)}, {"age_ms", l.age_ms}, {"detail", l.detail}};
}

json health_json(const std::vector<health_check>& checks) {
  json j{{"ready", all_good(checks)}, {"checks", json::array()}};
  for (const auto& c : checks)
    j["checks"].push_back({{"name", c.name}, {"good", c.good}, {"why", c.why}});
  return j;
}

json ban_json(const std::optional<bans::ban>& b) {
  if (!b) return {};
  return {{"cause", std::string(name(b->cause))},
          {"why", b->why},
          {"by", number(b->by)},
          {"since_us", b->since_us},
          {"seconds", b->seconds}};
}

json pause_json(const std::optional<status_snapshot::pause>& p) {
  if (!p) return {};
  return {{"by", number(p->by)}, {"age_ms", p->age_ms}, {"left_ms", p->left_ms}};
}

json joining_json(const std::optional<joining_progress>& p) {
  if (!p) return {};
  return {{"from", number(p->from)},
          {"db", p->db},
          {"databases_left", p->databases},
          {"records", p->records},
          {"of_records", p->in_all},
          {"ms", p->ms},
          {"left_ms", p->left_ms < 0 ? json() : json(p->left_ms)}};
}

json recovered_json(const recovered_counts& r) {
  return {{"unchanged", r.unchanged}, {"difference", r.by_difference},
          {"whole", r.whole},         {"differed", r.differed},
          {"kept", r.kept},           {"lost", r.lost}};
}

/// What the node keeps for others.
json held_json(const memory_report& h) {
  json j{{"resident", h.resident},
         {"controls", h.controls},
         {"requests", h.requests},
         {"registrations", h.registrations},
         {"notifications", h.notifications},
         {"tcp_connections", h.tcp_connections},
         {"client_requests", h.of_clients.requests},
         {"client_bytes", h.of_clients.bytes},
         {"client_locks", h.of_clients.locks},
         {"traverses", h.traverses}};
  if (const auto& m = h.most; m.client != 0)
    j["most"] = {{"client", m.client},     {"pid", m.pid},     {"name", m.name},
                 {"requests", m.requests}, {"bytes", m.bytes}, {"locks", m.locks}};
  return j;
}

/// Turns that took long, and what was refused or dropped because of a limit.
void put_limits(json& j, const limit_counts& l) {
  j["turns"] = {{"late", l.turns.late},
                {"longest_ms", l.turns.longest_ms},
                {"most_work_ms", l.turns.most_work_ms},
                {"longest_was", l.turns.longest_was}};
  j["refused"] = {{"connections", l.refused.connections},
                  {"requests", l.refused.requests},
                  {"databases", l.refused.databases},
                  {"traverses", l.refused.traverses},
                  {"registrations", l.refused.registrations}};
  j["dropped"] = {{"unknown_operations", l.dropped.unknown_operations},
                  {"messages", l.dropped.messages},
                  {"too_large", l.dropped.too_large},
                  {"relinks", l.dropped.relinks}};
}

void put_troubles(json& j, const std::vector<trouble>& troubles) {
  j["healthy"] = std::ranges::none_of(troubles, &trouble::ill);
  j["troubles"] = json::array();
  j["warnings"] = json::array();
  for (const auto& t : troubles) {
    j["troubles"].push_back(trouble_json(t));
    j["warnings"].push_back(t.text);
  }
}

}  // namespace

std::string only_health_json(const status_snapshot& s,
                             const std::vector<database_report>& databases) {
  json j{{"databases", json::array()}};
  for (const auto& d : databases) {
    const auto troubles = troubles_of(d, s.view->self);
    j["databases"].push_back({{"id", fmt::format("{:#010x}", number(d.id))},
                              {"name", d.name},
                              {"state", std::string(name(d.state))},
                              {"records", d.records},
                              {"trouble", troubles.empty() ? "" : troubles.front().text}});
  }
  j["health"] = health_json(health_of(s, databases, troubles_of(s, databases)));
  return text_of(j);
}

std::string status_json(const status_snapshot& s, const std::vector<database_report>& databases) {
  const auto& v = *s.view;
  json j{{"node", number(v.self)},
         {"pid", ::getpid()},
         {"version", program_version},
         {"address", s.address},
         {"runstate", std::string(runstate_text(static_cast<std::uint64_t>(v.run)))},
         {"recovery_mode", v.mode == recovery_mode::normal ? "NORMAL" : "RECOVERY"},
         {"recovery_mode_age_ms", s.mode_age_ms},
         {"generation", number(v.gen)},
         {"started_us", s.started_us},
         {"now_us", s.now_us},
         {"clients", s.clients},
         {"num_recoveries", s.num_recoveries}};
  j["leader"] = v.leader == pnn::unknown ? json() : json(number(v.leader));
  j["vnn_map"] = json::array();
  for (pnn p : v.map) j["vnn_map"].push_back(number(p));
  j["nodes"] = nodes_json(s);
  j["recovery"] = s.recovery.empty() ? json() : json::parse(s.recovery, nullptr, false);
  j["last_recovery"] =
      s.last_recovery.empty() ? json() : json::parse(s.last_recovery, nullptr, false);
  j["recovered"] = recovered_json(s.recovered);
  j["cluster_lock"] = lock_json(s.lock);
  j["quorum"] = std::string(name(s.quorum));
  j["recovery_failures"] = s.recovery_failures;
  const auto troubles = troubles_of(s, databases);
  put_troubles(j, troubles);
  j["held"] = held_json(s.held);
  put_limits(j, s.limits);
  j["ban"] = ban_json(s.ban);
  j["recoveries_disabled"] = pause_json(s.paused);
  j["joining"] = joining_json(s.joining);
  j["health"] = health_json(health_of(s, databases, troubles));
  j["databases"] = json::array();
  for (const auto& d : databases) j["databases"].push_back(database_json(d, v.self));
  return text_of(j);
}

std::string memory_text(const memory_report& m, const std::vector<database_report>& databases) {
  std::string out;
  const auto line = [&](std::string_view what, std::uint64_t n, std::string_view unit) {
    out += fmt::format("{:<28}{:>14} {}\n", what, n, unit);
  };
  line("resident", m.resident, "bytes");
  line("clients", m.clients, "");
  line("databases", m.databases, "");
  line("controls without answer", m.controls, "");
  line("requests for records", m.requests, "");
  line("registrations (srvid)", m.registrations, "");
  line("notifications", m.notifications, "");
  line("notifications", m.notification_bytes, "bytes");
  line("requests of clients", m.of_clients.requests, "");
  line("requests of clients", m.of_clients.bytes, "bytes");
  line("record locks of clients", m.of_clients.locks, "");
  line("traverses", m.traverses, "");
  line("connections of services", m.tcp_connections, "");
  line("timeline", m.timeline_events, "events");
  for (const auto& d : databases) {
    line(d.name + ": records", d.records, "");
    line(d.name + ": locks", d.locks_held + d.locks_waiting, "held or waited for");
  }
  return out;
}

std::string locks_json(pnn self, const std::vector<database_report>& databases) {
  json j{{"node", number(self)}, {"databases", json::array()}};
  for (const auto& d : databases) j["databases"].push_back(database_json(d, self));
  return text_of(j);
}

std::int64_t timeline_since(byte_view options) {
  const auto wanted = json::parse(options.empty() ? "{}" : options, nullptr, false);
  if (wanted.is_object() && wanted.contains("since_us") && wanted["since_us"].is_number_integer())
    return wanted["since_us"].get<std::int64_t>();
  return 0;
}

std::string timeline_json(pnn self, const std::vector<std::shared_ptr<const timeline_event>>& all) {
  json events = json::array();
  for (const auto& e : all)
    events.push_back({{"t_us", e->wall_us},
                      {"event", name(e->line)},
                      {"db", e->line.db},
                      {"detail", e->line.fields}});
  return text_of({{"node", number(self)}, {"events", std::move(events)}});
}

}  // namespace floe
