#include "cli/lock_picture.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "actors/database/asked_node.hpp"
#include "cli/keys.hpp"
#include "protocol/hash.hpp"
#include "protocol/rules/deadlock.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

bytes from_hex(const std::string& hex) { return parse_octets("0x" + hex).value_or(bytes{}); }

lock_owner owner(const json& j, pnn node) {
  return {.node = node,
          .client = j.value("client", std::uint64_t{0}),
          .pid = j.value("pid", std::int64_t{0}),
          .name = j.value("name", "")};
}

lock_client as_client(const lock_owner& o) {
  return {.node = o.node, .client = o.client, .pid = o.pid, .name = o.name};
}

/// What a database as a whole does to those who want its records, seen from one queue; nothing if
/// it serves them.
std::optional<blocked_request::cause> blocked_by_state(const lock_picture& p,
                                                       const awaited_record& w) {
  using cause = blocked_request::cause;
  std::optional<cause> found;
  bool freezing = false;
  for (const auto& d : p.databases) {
    if (d.db != w.db || d.state == "thawed") continue;
    freezing = freezing || d.state == "freezing";
    const auto asked = asked_node_in(w.why);
    if (d.node == w.queue || (asked && asked->node == d.node))
      found = d.state == "in_transaction" ? cause::recovering_database : cause::frozen_database;
  }
  // frozen on all nodes, and yet it does not go on
  if (found == cause::frozen_database && p.freeze_all && !freezing) return cause::freeze_barrier;
  return found;
}

}  // namespace

std::string to_text(const lock_owner& o) {
  if (o.client == 0) return fmt::format("node {}", number(o.node));
  return fmt::format("{} (pid {}, node {})", o.name, o.pid, number(o.node));
}

bool lock_picture::add(std::string_view report) {
  const auto j = json::parse(report, nullptr, false);
  if (!j.is_object() || !j.contains("node") || !j["node"].is_number_unsigned()) return false;
  const pnn node{j["node"].get<std::uint32_t>()};
  for (const auto& d : j.value("databases", json::array())) {
    const std::string db = d.value("name", "");
    databases.push_back({node, db, d.value("state", ""), d.value("state_age_ms", 0.0)});
    for (const auto& h : d.value("holders", json::array()))
      held.push_back({owner(h, node), db, from_hex(h.value("key", "")), h.value("age_ms", 0.0)});
    for (const auto& w : d.value("waiters", json::array())) {
      const pnn asks{w.value("node", number(node))};
      waiting.push_back({node, owner(w, asks), db, from_hex(w.value("key", "")),
                         w.value("age_ms", 0.0), w.value("why", "")});
    }
  }
  if (const auto r = j.find("recovery");
      r != j.end() && r->is_object() && r->value("freeze", "") == "all")
    freeze_all = true;
  return true;
}

std::string why_text(const lock_picture& p, const awaited_record& w) {
  for (const auto& h : p.held)
    if (h.db == w.db && h.key == w.key) return "held by " + to_text(h.who);
  return w.why;
}

namespace {

std::vector<wait_edge> circle_in(const lock_picture& p, std::map<db_id, std::string>& names) {
  std::vector<lock_holding> held;
  std::vector<blocked_request> waiting;
  for (const auto& h : p.held) {
    held.push_back({as_client(h.who), db_id_of(h.db), h.key});
    names[db_id_of(h.db)] = h.db;
  }
  for (const auto& w : p.waiting) {
    if (w.who.client == 0) continue;  // the client behind it is in its own node's queue
    const db_id db = db_id_of(w.db);
    names[db] = w.db;
    for (const auto& h : p.held)
      if (h.db == w.db && h.key == w.key)
        waiting.push_back(
            {as_client(w.who), db, w.key, blocked_request::cause::holder, as_client(h.who)});
    if (const auto why = blocked_by_state(p, w))
      waiting.push_back({as_client(w.who), db, w.key, *why, {}});
  }
  return find_deadlock(held, waiting);
}

}  // namespace

std::vector<std::string> find_cycle(const lock_picture& p) {
  std::map<db_id, std::string> names;
  std::vector<std::string> out;
  for (const auto& e : circle_in(p, names)) out.push_back(describe(e, names));
  return out;
}

std::vector<lock_owner> clients_in_cycle(const lock_picture& p) {
  std::map<db_id, std::string> names;
  std::vector<lock_owner> out;
  for (const auto& e : circle_in(p, names))
    if (const auto& c = e.from.client; e.from.is_client)
      out.push_back({.node = c.node, .client = c.client, .pid = c.pid, .name = c.name});
  return out;
}

}  // namespace floe::cli
