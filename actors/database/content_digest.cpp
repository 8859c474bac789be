/// Sums over all records of a database, by which nodes compare what they have (storage/format.hpp). A large content is read
/// in slices, between which everything else of the node goes on; the sum of a content that has not changed since is known.
#include <memory>

#include "actors/database/database.hpp"
#include "protocol/wire/codec.hpp"
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

void database::sum_content(std::function<void(const db_digest*, const std::string& why)> tell) {
  if (last_sum_.writes == store_->writes()) return tell(&last_sum_.digest, {});
  auto state = std::make_shared<summing>(summing{.at = {}, .sum = {}, .writes = store_->writes()});
  auto slice = std::make_shared<std::function<void()>>();
  *slice = [this, state, tell = std::move(tell), weak = std::weak_ptr(slice)] {
    if (store_use_ != store_use::here) return tell(nullptr, "the store is in use");
    if (state->writes != store_->writes())
      return tell(nullptr, "the content has changed meanwhile");
    std::size_t records = 0, total = 0;
    auto next = store_->scan(state->at, [&](const record_view& r) {
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
      return self().tell(db_next_slice{[again = weak.lock()] { (*again)(); }});
    last_sum_ = {.writes = state->writes, .digest = state->sum};
    tell(&state->sum, {});
  };
  (*slice)();
}

/// Of the whole content, for a comparison with what the other nodes have.
void database::digest(db_control& m) {
  sum_content([answer = m.answer](const db_digest* sum, const std::string& why) {
    if (!sum) return answer.fail(why);
    answer.good(wire::encode(*sum));
  });
}

}  // namespace floe
