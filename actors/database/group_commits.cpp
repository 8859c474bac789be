#include "actors/database/group_commits.hpp"

#include <utility>

#include "actors/database/storage_trouble.hpp"

namespace floe {
namespace {

constexpr auto commit_within = std::chrono::milliseconds(5);
constexpr std::size_t commit_above = 1 << 20;

}  // namespace

void group_commits::plan() {
  if (port_.config.kind != db_kind::volatile_db || port_.store->unflushed_bytes() > commit_above) {
    if (std::exchange(plan_, plan_is::next_turn) != plan_is::next_turn) port_.self.tell(db_flush{});
  } else if (plan_ == plan_is::none) {
    plan_ = plan_is::later;
    port_.env.loop.after(commit_within, [to = port_.self] { to.tell(db_flush{}); });
  }
}

void group_commits::commit() {
  plan_ = plan_is::none;
  if (port_.use != store_use::here) return;  // flushed when it is here again
  if (auto done = port_.store->flush(); !done) {
    port_.trouble.failed("commit", done.error());
    refused_ = true;
    // nothing is lost: the group stays and is tried again
    port_.env.loop.after(std::chrono::seconds(1), [to = port_.self] { to.tell(db_flush{}); });
    return;
  }
  // of a store that was refused it says nothing: this group had its room before
  if (std::exchange(refused_, false)) port_.trouble.works();
}

}  // namespace floe
