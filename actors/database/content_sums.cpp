#include "actors/database/content_sums.hpp"

#include <memory>

#include "storage/format.hpp"

namespace floe {
namespace {

/// Of a slice: some hundred microseconds.
constexpr std::size_t most_records = 2000, most_bytes = 1 << 20;

struct summing {
  scan_position at;
  db_digest sum;
  std::uint64_t writes = 0;
};

}  // namespace

void content_sums::sum(told tell) {
  if (writes_ == port_.store->writes()) return tell(&last_, {});
  auto state =
      std::make_shared<summing>(summing{.at = {}, .sum = {}, .writes = port_.store->writes()});
  auto slice = std::make_shared<std::function<void()>>();
  *slice = [this, state, tell = std::move(tell), weak = std::weak_ptr(slice)] {
    if (port_.use != store_use::here) return tell(nullptr, "the store is in use");
    if (state->writes != port_.store->writes())
      return tell(nullptr, "the content has changed meanwhile");
    std::size_t records = 0, total = 0;
    auto next = port_.store->scan(state->at, [&](const record_view& r) {
      if (records == most_records || total > most_bytes) return false;
      ++records;
      total += r.data.size();
      ++state->sum.records;
      state->sum.sum += format::content_sum(r);
      return true;
    });
    if (!next) return tell(nullptr, "cannot read: " + next.error().text);
    state->at = *next;
    if (!next->at_end())
      // `weak` is alive: somebody is running it
      return port_.self.tell(db_next_slice{[again = weak.lock()] { (*again)(); }});
    writes_ = state->writes;
    last_ = state->sum;
    tell(&last_, {});
  };
  (*slice)();
}

}  // namespace floe
