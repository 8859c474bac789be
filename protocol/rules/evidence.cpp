#include "protocol/rules/evidence.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace floe {
namespace {

std::string hex(db_id db) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number(db), 16).ptr;
  const std::string shown(digits.data(), end);
  return "0x" + std::string(digits.size() - shown.size(), '0') + shown;
}

}  // namespace

std::string_view name(failure_cause c) {
  switch (c) {
    case failure_cause::refused: return "refused";
    case failure_cause::timed_out: return "timed out";
    case failure_cause::disconnected: return "disconnected";
    case failure_cause::count_mismatch: return "sent another number of records";
    case failure_cause::name_conflict: return "name conflict";
    case failure_cause::flag_conflict: return "flag conflict";
    case failure_cause::deadline: return "out of time";
    case failure_cause::deadlock: return "deadlock";
    case failure_cause::local: return "failed here";
    case failure_cause::unfit: return "may not lead";
    case failure_cause::stopped: return "stopped";
  }
  std::unreachable();
}

std::string describe(const evidence& e) {
  std::string s;
  if (e.node != pnn::unknown) s = "node " + std::to_string(number(e.node)) + " ";
  s += name(e.cause);
  s += " in ";
  s += e.step;
  if (e.db != db_id{0}) s += " of " + hex(e.db);
  if (!e.detail.empty()) s += ": " + e.detail;
  return s;
}

std::string describe(std::span<const pnn> nodes) {
  std::string s;
  for (const pnn n : nodes) {
    if (!s.empty()) s += ',';
    s += std::to_string(number(n));
  }
  return s;
}

}  // namespace floe
