/// floe getdbstatus: one database on one node, with its freeze state.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/databases.hpp"
#include "cli/last_recovery.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

/// What floe nodes tell beyond CTDB's controls; null from a ctdbd.
struct own_report {
  json here;       ///< of the database, by the node that is asked
  json recovered;  ///< how, by the leader of the last recovery
};

json named(const json& databases, const std::string& name) {
  for (const auto& d : databases)
    if (d.value("name", "") == name) return d;
  return {};
}

std::string kind_and_properties(std::uint8_t flags) {
  std::string text = kind_text(flags);
  if (flags & db_flag::readonly) text += ", with read-only copies";
  if (flags & db_flag::sticky) text += ", sticky";
  return text;
}

std::string copies_text(const json& r) {
  auto text = fmt::format("{} records have read-only copies elsewhere, {} copies are here",
                          r.value("out", 0ULL), r.value("here", 0ULL));
  if (const auto wanted = r.value("calling_back", 0ULL); wanted > 0)
    text += fmt::format("; of {} they are called back, for {}", wanted,
                        age_text(r.value("oldest_ms", 0.0)));
  return text;
}

own_report more_of(blocking_client& c, pnn at, const std::string& name, duration patience) {
  const auto r = c.control<control::get_node_status>(at, {}, patience);
  if (!r) return {};
  const std::string text(r->value.value);
  const auto j = json::parse(text, nullptr, false);
  if (!j.is_object()) return {};
  own_report o{.here = named(j.value("databases", json::array()), name), .recovered = {}};
  if (const json last = last_recovery(c, at, text); last.is_object())
    o.recovered = named(last.value("databases", json::array()), name);
  return o;
}

/// "12 keys since generation 7 (1200 bytes)"
std::string changes_text(const json& c) {
  const auto state = c.value("state", "");
  if (state == "none") return "not noted: no other node is known to have the same content";
  if (state == "overflow")
    return fmt::format("overflow: more than are noted since generation {}", c.value("since", 0U));
  const auto keys = c.value("keys", 0ULL);
  return fmt::format("{} {} since generation {} ({} bytes)", keys, keys == 1 ? "key" : "keys",
                     c.value("since", 0U), c.value("bytes", 0ULL));
}

std::string work_text(const json& w) {
  return fmt::format("{:.3g} s of processor, {} bytes came, {} went, {} were stored",
                     w.value("processor_s", 0.0), w.value("received_bytes", 0ULL),
                     w.value("sent_bytes", 0ULL), w.value("stored_bytes", 0ULL));
}

void database_as_json(pnn node, const database_info& d, const json& more, const json& recovered) {
  auto j = open_json("getdbstatus");
  j.number("node", number(node));
  put_fields(j, d);
  if (more.is_object()) {
    j.raw("storage_trouble", more.value("storage_trouble", json()).dump());
    j.text("freeze_state", more.value("state", ""));
    for (const auto& [key, value] : more.items())
      if (value.is_number()) j.raw(key, value.dump());
    for (const char* part : {"changes", "vacuum", "work"})
      if (more.contains(part)) j.raw(part, more[part].dump());
  }
  j.raw("recovered", recovered.dump());
  print_json(std::move(j));
}

void database_as_table(const database_info& d, const json& more, const json& recovered) {
  table t({{""}, {""}});
  const auto line = [&](const char* what, cell value) {
    t.row({cell(what, style::dim), std::move(value)});
  };
  line("database", {fmt::format("{} ({})", d.name, id_text(d.id)), style::bold});
  line("kind", kind_and_properties(d.flags));
  line("path", d.path);
  line("health", d.damage.empty() ? cell("OK", style::good) : cell(d.damage, style::bad));
  if (more.is_object()) {
    auto state = more.value("state", "");
    std::ranges::replace(state, '_', ' ');  // in_transaction
    line("state", {fmt::format("{} for {}", state, age_text(more.value("state_age_ms", 0.0))),
                   state == "thawed" ? style::good : style::warn});
    if (const auto refuses = more.value("storage_trouble", json()); refuses.is_string())
      line("storage", {"refuses: " + refuses.get<std::string>(), style::bad});
    line("generation", std::to_string(more.value("generation", 0U)));
    line("records here", std::to_string(more.value("records", 0ULL)));
    if (recovered.is_object()) line("recovered", recovered_text(recovered));
    if (const auto changes = more.value("changes", json()); changes.is_object())
      line("changed", changes_text(changes));
    line("migrations",
         fmt::format("{} pending, {} done, {} sent again", more.value("migrations_pending", 0ULL),
                     more.value("migrations_done", 0ULL), more.value("migrations_resent", 0ULL)));
    if (const auto v = more.value("vacuum", json()); v.is_object())
      line("deleted", fmt::format("{} to be forgotten, the oldest for {}; {} forgotten in {} runs",
                                  v.value("queued", 0ULL), age_text(v.value("oldest_ms", 0.0)),
                                  v.value("forgotten", 0ULL), v.value("runs", 0ULL)));
    if (const auto r = more.value("read_only", json()); r.is_object())
      line("copies", copies_text(r));
    if (const auto w = more.value("work", json()); w.is_object()) line("work", work_text(w));
    line("locks", fmt::format("{} held, {} waiting", more.value("locks_held", 0ULL),
                              more.value("locks_waiting", 0ULL)));
  }
  const auto text = t.text();
  print(text.substr(text.find('\n') + 1));  // no line of titles
}

int run_getdbstatus(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto d = find_database_info(**node, *at, a["DB"], c.patience());
  if (!d) return c.fail("getdbstatus", d.error());
  const auto [more, recovered] = more_of(**node, *at, d->name, c.patience());
  if (c.options.json)
    database_as_json(*at, *d, more, recovered);
  else
    database_as_table(*d, more, recovered);
  return done;
}

}  // namespace

command getdbstatus_command() {
  return {.name = "getdbstatus",
          .group = "Databases",
          .summary =
              "one database: kind, health, freeze state, how it was recovered last and what has "
              "changed since",
          .example = "floe --base DIR getdbstatus locking.tdb",
          .positionals = {{"DB", "name, or 0x and id"}},
          .run = run_getdbstatus};
}

}  // namespace floe::cli
