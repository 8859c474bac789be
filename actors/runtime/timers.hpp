#pragma once
/// Timers in order of time, equal times in order of creation. Not thread-safe: belongs to a loop.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "actors/runtime/event_loop.hpp"
#include "actors/runtime/slots.hpp"

namespace floe {

class timers {
 public:
  timer_id add(time_point at, task t) {
    const auto id = tasks_.put(std::move(t));
    due_.push_back({at, id});
    std::ranges::push_heap(due_, is_later{});
    return timer_id{id};
  }
  void remove(timer_id id) {
    // what a task holds may set or remove timers when it goes, so it goes last
    const auto gone = tasks_.take(static_cast<std::uint64_t>(id));
    if (gone && due_.size() > 2 * tasks_.size() + few) forget_removed();
  }
  std::optional<time_point> next() {
    while (!due_.empty() && !tasks_.contains(due_.front().id)) drop_first();
    if (due_.empty()) return std::nullopt;
    return due_.front().at;
  }
  /// The first timer due at or before `now`, taken out; null if none.
  task pop(time_point now) {
    const auto first = next();
    if (!first || *first > now) return nullptr;
    auto what = tasks_.take(due_.front().id);
    drop_first();
    return std::move(*what);
  }

 private:
  struct entry {
    time_point at;
    std::uint64_t id;  ///< of two, the later one has the higher
  };
  static constexpr std::size_t few = 64;  ///< removed ones that do not matter

  struct is_later {
    bool operator()(const entry& a, const entry& b) const {
      return a.at != b.at ? a.at > b.at : a.id > b.id;
    }
  };
  void drop_first() {
    std::ranges::pop_heap(due_, is_later{});
    due_.pop_back();
  }
  void forget_removed() {
    std::erase_if(due_, [this](const entry& e) { return !tasks_.contains(e.id); });
    std::ranges::make_heap(due_, is_later{});
  }

  std::vector<entry>
      due_;  ///< a heap, the first timer in front; removed ones stay until their time
  slots<task> tasks_;
};

}  // namespace floe
