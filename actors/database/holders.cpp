/// Whom a freeze waits for: clients that hold record locks of this database. They are named at once and every second,
/// and when they do not let go in time, what the policy says is done to *them*, before anybody blames the node.
#include <fmt/format.h>

#include <set>

#include "actors/database/database.hpp"
#include "actors/database/hot_records.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"

namespace floe {
namespace {

std::int64_t microseconds(duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}
double in_seconds(duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

bool database::inactive() const {
  return view_->own_flags() & (node_flag::banned | node_flag::stopped);
}

void database::freeze_waits() {
  ++freeze_number_;
  name_holders();
  need_tick();
  expect_holders();
}

void database::expect_holders() {
  env_.loop.after(holder_rules_.patience,
                  [to = self(), n = freeze_number_] { to.tell(db_holders_late{n}); });
}

void database::on(db_holder_rules& m) { holder_rules_ = m; }

/// A freeze that waits says for whom, every second, until it need not wait any more.
void database::name_holders() {
  for (const bytes& key : locks_.keys())
    if (const auto* e = locks_.find(key); e && e->holder) {
      const auto& c = e->holder->client;
      env_.log.tell(
          event::freeze_waits{.db = config_.name,
                              .node = env_.self,
                              .client = c.id,
                              .pid = c.pid,
                              .name = c.name,
                              .key = to_hex(key),
                              .held_us = microseconds(env_.loop.now() - e->holder->since)});
    }
  for (const auto& t : table_holders())
    env_.log.tell(event::freeze_waits{.db = config_.name,
                                      .node = env_.self,
                                      .client = t.client.id,
                                      .pid = t.client.pid,
                                      .name = t.client.name,
                                      .key = to_hex(t.key),
                                      .held_us = microseconds(t.held)});
}

void database::on(db_holders_late& m) {
  if (m.freeze != freeze_number_ || freeze_.state != freeze_state::freezing) return;
  if (holder_rules_.policy == holder_policy::wait)
    return expect_holders();  // the policy may change
  auto held = table_holders();
  for (const bytes& key : locks_.keys())
    if (const auto* e = locks_.find(key); e && e->holder)
      held.push_back({key, e->holder->client, env_.loop.now() - e->holder->since});
  std::set<std::uint64_t> told;
  for (const auto& [key, c, since] : held) {
    if (!told.insert(c.id).second) continue;
    const auto what = fmt::format(
        "{} (pid {}, client {}) has held the lock of record {} of {} for {:.1f} s and keeps it "
        "from freezing",
        c.name, c.pid, c.id, to_hex(key), config_.name, in_seconds(since));
    if (holder_rules_.policy == holder_policy::ban) {
      node_.tell(ban_self{what});
      break;
    }
    note(event::holder_disconnected{.why = what});
    c.session.tell(session_kick{what});
  }
  expect_holders();
}

}  // namespace floe
