#include "cli/drill/run/verdict_json.hpp"

#include <nlohmann/json.hpp>

namespace floe::cli {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(run_fault, from_us, to_us, what, longest_wait_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(run_check, t_us, what, good, detail, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(unavailability, db, longest_us, node, total_us, by_fault_us,
                                   longest_wait_us)

namespace drill {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(checked, checker, broken, explained, causes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(told_step, part, text, held, ms)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(verdict, seed, held, reason, failed_at, checks, virtual_ms,
                                   real_ms, operations, writes, losses, records_kept, records_lost,
                                   longest_wait_ms, longest_wait, longest_pause_ms, longest_pause,
                                   unavailable, faults, steps, circle, told, timeline, kept,
                                   recorded, pairs, last_events)

std::string verdict_json(const verdict& v) {
  return nlohmann::json(v).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<verdict> read_verdict(const std::string& text) {
  const auto j = nlohmann::json::parse(text, nullptr, false);
  if (!j.is_object()) return std::nullopt;
  return j.get<verdict>();
}

}  // namespace drill
}  // namespace floe::cli
