/// floe dbstatistics, hotkeys: the counters of a database, and the keys that its nodes take from each other most.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "actors/hex.hpp"
#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/databases.hpp"
#include "cli/keys.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"
#include "protocol/types/db_statistics.hpp"
#include "protocol/wire/text.hpp"

namespace floe::cli {
namespace {

std::vector<hot_key> in_use(const db_statistics& s) {
  std::vector<hot_key> keys;
  for (const auto& k : s.hot_keys)
    if (!k.key.empty() && k.count > 0) keys.push_back(k);
  std::ranges::sort(keys, std::greater{}, &hot_key::count);
  return keys;
}

void print_counters(const db_statistics& s) {
  wire::field_list fields;
  wire::codec<db_statistics>::show(fields, "", s);
  table t({{""}, {"", true}});
  for (const auto& f : fields.fields())
    if (!f.hidden && !f.path.starts_with("hot_keys") && !f.path.starts_with(".hot_keys"))
      t.row({{f.path, style::dim}, wire::scalar_text(f.value, f.says)});
  const auto text = t.text();
  print(text.substr(text.find('\n') + 1));
  for (const auto& k : in_use(s))
    print(fmt::format("hot key {}: {}\n", show_octets(k.key), k.count));
}

int statistics(context& c, const arguments& a) {
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  auto& node = **c.node();
  const auto db = find_named_database(node, a["DB"], c.patience());
  if (!db) return c.fail("dbstatistics " + a["DB"], db.error());
  const auto all = node.control_many(*nodes, control::get_db_statistics,
                                     encode_request<control::get_db_statistics>(*db), c.patience());
  auto j = open_json("dbstatistics");
  j.text("db", a["DB"]);
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto s = decode_answer<control::get_db_statistics>(one.reply, one.node);
    if (!s) continue;
    j.begin_object();
    j.number("node", number(one.node));
    wire::json_sink to(j);
    wire::codec<db_statistics>::show(to, "statistics", s->value);
    j.end();
    if (c.options.json) continue;
    print(fmt::format("node {}\n", number(one.node)));
    print_counters(s->value);
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "dbstatistics", all);
}

struct ranked_key {
  std::string db;
  pnn node;
  bytes key;
  std::uint32_t count;
};

/// The most hops that a request for a hot key has made, by node, database and key in hexadecimal digits; floe nodes tell.
using hops_of_keys = std::map<std::tuple<pnn, std::string, std::string>, std::uint64_t>;

hops_of_keys ask_hops(context& c, const std::vector<pnn>& nodes) {
  using nlohmann::json;
  hops_of_keys hops;
  for (const auto& one :
       (*c.node())->control_many(nodes, control::get_node_status, {}, c.patience())) {
    const auto text = decode_answer<control::get_node_status>(one.reply, one.node);
    const auto status = text ? json::parse(text->value.value, nullptr, false) : json();
    if (!status.is_object()) continue;
    for (const auto& d : status.value("databases", json::array()))
      for (const auto& k : d.value("hot", json::array()))
        hops[{one.node, d.value("name", ""), k.value("key", "")}] = k.value("hops", 0ULL);
  }
  return hops;
}

/// Adds the hot keys of one database on these nodes. A ctdbd answers as well.
std::vector<node_reply> gather(context& c, const std::vector<pnn>& nodes, const database_info& d,
                               std::vector<ranked_key>& to) {
  auto all =
      (*c.node())->control_many(nodes, control::get_db_statistics,
                                encode_request<control::get_db_statistics>(d.id), c.patience());
  for (const auto& one : all)
    if (const auto s = decode_answer<control::get_db_statistics>(one.reply, one.node))
      for (const auto& k : in_use(s->value))
        to.push_back({d.name, one.node, bytes(k.key), k.count});
  return all;
}

std::expected<std::vector<database_info>, client_error> asked_for(context& c,
                                                                  const std::string& name) {
  auto& node = **c.node();
  if (name.empty()) return list_databases(node, pnn::current, c.patience());
  const auto one = find_database_info(node, pnn::current, name, c.patience());
  if (!one) return std::unexpected(one.error());
  return std::vector{*one};
}

int hot_keys(context& c, const arguments& a) {
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto databases = asked_for(c, a["DB"]);
  if (!databases) return c.fail("hotkeys", databases.error());
  std::vector<ranked_key> keys;
  int code = done;
  for (const auto& d : *databases)
    if (const auto failed = report_failures(c, "hotkeys", gather(c, *nodes, d, keys));
        failed != done)
      code = failed;
  std::ranges::stable_sort(keys, std::greater{}, &ranked_key::count);
  const auto hops = ask_hops(c, *nodes);
  table t({{"COUNT", true}, {"HOPS", true}, {"NODE", true}, {"DB"}, {"KEY"}});
  auto j = open_json("hotkeys");
  j.begin_list("keys");
  for (const auto& k : keys) {
    const auto far = hops.find({k.node, k.db, to_hex(k.key)});
    t.row({std::to_string(k.count),
           far == hops.end() ? "" : std::to_string(far->second),
           std::to_string(number(k.node)),
           k.db,
           {show_octets(k.key), style::bold}});
    j.begin_object();
    j.text("db", k.db);
    j.text("key", show_octets(k.key));
    j.number("node", number(k.node));
    j.number("count", k.count);
    if (far != hops.end()) j.number("hops", far->second);
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else
    print_text(keys.empty()
                   ? "no record has been asked for from several nodes often enough to be counted\n"
                   : t.text());
  return code;
}

}  // namespace

std::vector<command> db_statistics_commands() {
  return {{.name = "dbstatistics",
           .group = "Databases",
           .summary = "counters of a database: locks, hops, vacuuming, hot keys",
           .example = "floe --base DIR dbstatistics locking.tdb -n all",
           .positionals = {{"DB", "name, or 0x and id"}},
           .run = statistics},
          {.name = "hotkeys",
           .group = "Databases",
           .summary = "the records that nodes take from each other most, how often a second and "
                      "over how many hops",
           .example = "floe --base DIR hotkeys -n all",
           .positionals = {{"DB", "name, or 0x and id; without it all databases", false}},
           .run = hot_keys}};
}

}  // namespace floe::cli
