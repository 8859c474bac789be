#include "cli/last_recovery.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/output.hpp"
#include "cli/recovered_text.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

/// Not for long: status is to answer at once.
constexpr duration leader_patience = std::chrono::milliseconds(700);

std::uint64_t figure(const json& d, const char* name) { return d.value(name, std::uint64_t{0}); }

/// Null, if this node has led none.
json led_by(pnn node, const std::string& report) {
  const json all = json::parse(report, nullptr, false);
  json r = all.is_object() ? all.value("last_recovery", json()) : json();
  if (!r.is_object()) return r;
  r["led_by"] = number(node);
  // the record with a database's sequence number is none of those that clients have put in
  for (auto& d : r["databases"])
    for (const auto& now : all.value("databases", json::array()))
      if (now.value("name", "") == d.value("name", "") && now.value("kind", "") != "volatile" &&
          now.value("sequence", 0ULL) > 0 && figure(d, "records") > 0)
        d["records"] = figure(d, "records") - 1;
  return r;
}

}  // namespace

json last_recovery(blocking_client& c, pnn at, const std::string& report) {
  const json own = json::parse(report, nullptr, false);
  if (!own.is_object()) return {};
  const json leader = own.value("leader", json());
  if (!leader.is_number_unsigned() || leader.get<std::uint32_t>() == number(at))
    return led_by(at, report);
  const pnn who{leader.get<std::uint32_t>()};
  for (const auto& [node, text] : ask_reports(c, {who}, leader_patience))
    if (node == who) return led_by(who, text);
  return {};
}

json last_recovery(const node_reports& reports, pnn leader) {
  const auto told = reports.find(leader);
  return told == reports.end() ? json() : led_by(leader, told->second);
}

std::string recovered_text(const json& d) {
  return recovered_text({.way = d.value("way", ""),
                         .why = d.value("why", ""),
                         .looked_at = figure(d, "looked_at"),
                         .records = figure(d, "records"),
                         .bytes = figure(d, "bytes_in") + figure(d, "bytes_out"),
                         .kept = figure(d, "kept"),
                         .lost = figure(d, "lost"),
                         .ms = d.value("ms", 0.0)});
}

void print_last_recovery(const json& r) {
  if (!r.is_object()) return;
  print("\n");
  print_line(fmt::format("last recovery: generation {}, {}, led by node {}, because {}",
                         r.value("generation", 0U), age_text(r.value("ms", 0.0)),
                         r.value("led_by", 0U), r.value("why", "")));
  for (const auto& d : r.value("databases", json::array()))
    print_line(fmt::format("  {}: {}", d.value("name", ""), recovered_text(d)), 4);
}

}  // namespace floe::cli
