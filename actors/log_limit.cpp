#include "actors/log_limit.hpp"

#include <functional>

namespace floe {
namespace {

constexpr auto window = std::chrono::seconds(1);

std::string_view kind_of(std::string_view line) { return line.substr(0, line.find(' ')); }

/// Lines that an operator has asked for, at once and to the last: event::state_report.
constexpr std::string_view asked_for = "state-report";

}  // namespace

bool log_limit::admits(std::string_view line, time_point now) {
  constexpr std::string_view others = "others";
  auto name = kind_of(line);
  if (name == asked_for) return true;
  if (!kinds_.contains(name) && kinds_.size() >= most_kinds) name = others;
  auto at = kinds_.find(name);
  if (at == kinds_.end()) at = kinds_.emplace(std::string(name), kind{.since = now}).first;
  auto& k = at->second;
  const auto hash = std::hash<std::string_view>{}(line);
  if (now - k.since >= window && k.swallowed == 0) k = {.since = now};
  if (k.written >= lines_per_second || (k.written > 0 && k.last == hash)) {
    ++k.swallowed;
    return false;
  }
  ++k.written;
  k.last = hash;
  return true;
}

std::vector<log_limit::summary> log_limit::left_out(time_point now) {
  std::vector<summary> told;
  if (now < next_look_) return told;
  next_look_ = now + window;
  std::erase_if(kinds_, [&](auto& entry) {
    auto& [name, k] = entry;
    if (now - k.since < window) return false;
    if (k.swallowed > 0) told.push_back({name, k.swallowed});
    return true;
  });
  return told;
}

}  // namespace floe
