#include "actors/node/report/brief_status.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "actors/json_text.hpp"
#include "protocol/constants.hpp"

namespace floe {

namespace {

bool wants(byte_view options, const char* what) {
  if (options.empty()) return false;
  using nlohmann::json;
  const auto wanted = json::parse(options, nullptr, false);
  return wanted.is_object() && wanted.value(what, json()) == true;
}

}  // namespace

bool wants_brief_status(byte_view options) {
  if (options == R"({"brief":true})") return true;  // what a drill asks many times a second
  return wants(options, "brief");
}

bool wants_only_health(byte_view options) { return wants(options, "health"); }

std::string brief_status_json(const cluster_view& v, const std::string& recovery,
                              const std::vector<database_report>& databases) {
  const auto comma = [](std::size_t i) { return i == 0 ? "" : ","; };
  auto text = fmt::format(
      R"({{"runstate":"{}","recovery_mode":"{}","generation":{},"leader":{},"nodes":[)",
      runstate_text(static_cast<std::uint64_t>(v.run)),
      v.mode == recovery_mode::normal ? "NORMAL" : "RECOVERY", number(v.gen),
      v.leader == pnn::unknown ? std::string("null") : std::to_string(number(v.leader)));
  for (std::size_t i = 0; i < v.nodes.size(); ++i)
    fmt::format_to(std::back_inserter(text), R"({}{{"flags":{}}})", comma(i), v.nodes[i].flags);
  text += R"(],"databases":[)";
  for (std::size_t i = 0; i < databases.size(); ++i) {
    const auto& d = databases[i];
    fmt::format_to(
        std::back_inserter(text),
        R"({}{{"name":{},"state":"{}","generation":{},"locks_held":{},"locks_waiting":{},)"
        R"("records":{},"migrations_pending":{},"migrations_resent":{}}})",
        comma(i), json_quoted(d.name), name(d.state), number(d.gen), d.locks_held, d.locks_waiting,
        d.records, d.migrations_pending, d.migrations_resent);
  }
  return text + R"(],"recovery":)" + (recovery.empty() ? "null" : recovery) + "}";
}

}  // namespace floe
