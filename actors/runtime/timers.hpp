#pragma once
/// Timers in order of time, equal times in order of creation. Not thread-safe: belongs to a loop.
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "actors/runtime/event_loop.hpp"

namespace floe {

class timers {
 public:
  timer_id add(time_point at, task t) {
    const auto id = ++last_;
    due_.emplace(std::pair{at, id}, std::move(t));
    at_.emplace(id, at);
    return timer_id{id};
  }
  void remove(timer_id id) {
    auto i = at_.find(static_cast<std::uint64_t>(id));
    if (i == at_.end()) return;
    // what a task holds may set or remove timers when it goes, so it goes last
    const auto gone = due_.extract({i->second, i->first});
    at_.erase(i);
  }
  std::optional<time_point> next() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first.first;
  }
  /// The first timer due at or before `now`, taken out; null if none.
  task pop(time_point now) {
    if (due_.empty() || due_.begin()->first.first > now) return nullptr;
    auto node = due_.extract(due_.begin());
    at_.erase(node.key().second);
    return std::move(node.mapped());
  }

 private:
  std::map<std::pair<time_point, std::uint64_t>, task> due_;
  std::unordered_map<std::uint64_t, time_point> at_;
  std::uint64_t last_ = 0;
};

}  // namespace floe
