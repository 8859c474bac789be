#include "protocol/rules/evidence.hpp"

#include <array>
#include <charconv>

namespace floe {
namespace {

std::string hex(db_id db) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number(db), 16).ptr;
  const std::string shown(digits.data(), end);
  return "0x" + std::string(digits.size() - shown.size(), '0') + shown;
}

}  // namespace

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
