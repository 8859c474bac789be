/// floe locks: who holds and who waits for record locks, in the whole cluster; and any circle in
/// it.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/lock_picture.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

struct unreachable {
  pnn node;
  std::string why;
};

struct gathered {
  lock_picture picture;
  std::vector<unreachable> missing;
  std::int64_t now_us = 0;
  std::size_t answers = 0;
};

/// Every node that is not deleted, unless -n names some. Nodes known to be lost are not asked.
std::expected<gathered, exit_code> gather(context& c) {
  auto node = c.node();
  if (!node) return std::unexpected(node.error());
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return std::unexpected(c.fail("locks", map.error()));
  std::vector<pnn> wanted;
  if (!c.options.node.empty()) {
    auto named = c.targets();
    if (!named) return std::unexpected(named.error());
    wanted = *named;
  }
  gathered g;
  std::vector<pnn> ask;
  for (const auto& n : map->value.nodes) {
    if (n.flags & node_flag::deleted) continue;
    if (!wanted.empty() && std::ranges::find(wanted, n.pnn) == wanted.end()) continue;
    if (n.flags & node_flag::disconnected)
      g.missing.push_back({n.pnn, "disconnected"});
    else
      ask.push_back(n.pnn);
  }
  const auto reports = (*node)->control_many(ask, control::get_node_status, {}, c.patience());
  g.now_us = (*node)->loop().wall_us();
  for (const auto& one : reports) {
    const auto r = decode_answer<control::get_node_status>(one.reply, one.node);
    if (!r)
      g.missing.push_back({one.node, r.error().describe()});
    else if (!g.picture.add(r->value.value))
      g.missing.push_back({one.node, "its report is not understood"});
    else
      ++g.answers;
  }
  return g;
}

/// What else a holder is doing: a lock that is held by somebody who waits is the interesting case.
std::string also_waits(const lock_picture& p, const lock_owner& who) {
  for (const auto& w : p.waiting)
    if (w.who.client != 0 && w.who.node == who.node && w.who.client == who.client)
      return fmt::format("waits itself for {} of {}", show_octets(w.key), w.db);
  return {};
}

/// Another node's request of which the client is known: that stands in its own node's queue.
bool stands_for_a_client(const lock_picture& p, const awaited_record& w) {
  return w.who.client == 0 && std::ranges::any_of(p.waiting, [&](const awaited_record& o) {
           return o.who.client != 0 && o.who.node == w.who.node && o.db == w.db && o.key == w.key;
         });
}

std::string since_text(std::int64_t now_us, double age_ms) {
  return clock_text(now_us - static_cast<std::int64_t>(age_ms * 1000));
}

void print_text(const gathered& g) {
  const auto& p = g.picture;
  table t({{"DATABASE"},
           {"KEY"},
           {"NODE", true, true},
           {""},
           {"WHO"},
           {"SINCE", false, true},
           {"FOR", true},
           {"WHY"}});
  for (const auto& h : p.held)
    t.row({{h.db, style::bold},
           show_key(h.key),
           std::to_string(number(h.who.node)),
           {"holds", style::good},
           to_text(h.who),
           since_text(g.now_us, h.age_ms),
           age_text(h.age_ms),
           {also_waits(p, h.who), style::warn}});
  for (const auto& w : p.waiting) {
    if (stands_for_a_client(p, w)) continue;
    t.row({{w.db, style::bold},
           show_key(w.key),
           std::to_string(number(w.queue)),
           {"waits", style::warn},
           to_text(w.who),
           since_text(g.now_us, w.age_ms),
           age_text(w.age_ms),
           why_text(p, w)});
  }
  print(t.empty() ? "no record is locked\n" : t.text());
  for (const auto& d : p.databases) {
    if (d.state == "thawed") continue;
    auto state = d.state;
    std::ranges::replace(state, '_', ' ');  // in_transaction
    print_line(
        fmt::format("{} is {} on node {} for {}", d.db, state, number(d.node), age_text(d.age_ms)),
        2, style::warn);
  }
  for (const auto& u : g.missing)
    print_line(fmt::format("node {} not asked: {}", number(u.node), u.why), 2, style::bad);
  const auto circle = find_cycle(p);
  if (circle.empty()) return;
  print("\n" + paint(style::bad, "These wait for each other:") + "\n");
  for (const auto& s : circle) print_line("  " + s);
}

void put_owner(wire::json_writer& j, const lock_owner& o) {
  j.number("node", number(o.node));
  j.number("client", o.client);
  j.integer("pid", o.pid);
  j.text("name", o.name);
}

void print_as_json(const gathered& g) {
  auto j = open_json("locks");
  const auto since = [&](double age_ms) {
    return g.now_us - static_cast<std::int64_t>(age_ms * 1000);
  };
  j.begin_list("held");
  for (const auto& h : g.picture.held) {
    j.begin_object();
    j.text("db", h.db);
    j.text("key", show_octets(h.key));
    put_owner(j, h.who);
    j.real("age_ms", h.age_ms);
    j.integer("since_us", since(h.age_ms));
    j.end();
  }
  j.end();
  j.begin_list("waiting");
  for (const auto& w : g.picture.waiting) {
    j.begin_object();
    j.text("db", w.db);
    j.text("key", show_octets(w.key));
    j.number("queue", number(w.queue));
    put_owner(j, w.who);
    j.real("age_ms", w.age_ms);
    j.integer("since_us", since(w.age_ms));
    j.text("why", w.why);
    j.text("waits_for", why_text(g.picture, w));
    j.end();
  }
  j.end();
  j.begin_list("databases");
  for (const auto& d : g.picture.databases) {
    j.begin_object();
    j.number("node", number(d.node));
    j.text("db", d.db);
    j.text("state", d.state);
    j.real("age_ms", d.age_ms);
    j.end();
  }
  j.end();
  j.begin_list("unreachable");
  for (const auto& u : g.missing) {
    j.begin_object();
    j.number("node", number(u.node));
    j.text("why", u.why);
    j.end();
  }
  j.end();
  j.begin_list("cycle");
  for (const auto& s : find_cycle(g.picture)) j.text({}, s);
  j.end();
  print_json(std::move(j));
}

int run_locks(context& c, const arguments&) {
  const auto g = gather(c);
  if (!g) return g.error();
  if (c.options.json)
    print_as_json(*g);
  else
    print_text(*g);
  return g->answers > 0 ? done : failed;
}

}  // namespace

command locks_command() {
  return {.name = "locks",
          .group = "Records",
          .summary = "who holds and who waits for record locks on all nodes, since when and why",
          .example =
              "floe --base DIR locks\nfloe --base DIR locks --json | jq '.held[] | {db, key, pid}'",
          .run = run_locks};
}

}  // namespace floe::cli
