#include "actors/database/holder_wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

constexpr duration patience_of_leaver = std::chrono::seconds(1);

}  // namespace

void holder_wait::begin(const std::vector<key_holder>& holders, bool leaves) {
  ++number_;
  leaves_ = leaves;
  name(holders);
  expect();
}

void holder_wait::expect() const {
  const auto patience = leaves_ ? std::min(rules_.patience, patience_of_leaver) : rules_.patience;
  port_.env.loop.after(patience, [to = port_.self, n = number_] { to.tell(db_holders_late{n}); });
}

void holder_wait::name(const std::vector<key_holder>& holders) const {
  for (const auto& h : holders)
    port_.env.log.tell(event::freeze_waits{.db = port_.config.name,
                                           .node = port_.env.self,
                                           .client = h.client.id,
                                           .pid = h.client.pid,
                                           .name = h.client.name,
                                           .key = to_hex(h.key),
                                           .held_us = in_us(h.held)});
}

void holder_wait::late(const std::vector<key_holder>& holders) {
  if (rules_.policy == holder_policy::wait) return expect();  // the policy may change
  std::set<std::uint64_t> told;
  for (const auto& [key, c, held] : holders) {
    if (!told.insert(c.id).second) continue;
    const auto what = fmt::format(
        "{} (pid {}, client {}) has held the lock of record {} of {} for {:.1f} s and keeps it "
        "from freezing",
        c.name, c.pid, c.id, to_hex(key), port_.config.name, in_seconds(held));
    if (rules_.policy == holder_policy::ban && !leaves_) {
      port_.node.tell(ban_self{what});
      break;
    }
    port_.note(event::holder_disconnected{.why = what});
    c.session.tell(session_kick{what});
  }
  expect();
}

}  // namespace floe
