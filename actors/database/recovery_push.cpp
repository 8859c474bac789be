/// What a recovery gives to this node's copy of a database; the records: push_receiver.hpp.
#include "actors/database/database.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void database::push_start(db_control& m) {
  const auto& p = m.request<control::db_push_start>();
  // of two leaders that recover at once one may come late: what it sends belongs to its own transaction, which is no more
  if (const auto of = recovery_of(m); of && equal_open_ && *of != freeze_.tid)
    return m.answer.fail("another recovery has been here since");
  if (!transition(freeze_event::push_start{}, m.answer)) return;
  pushes_.start(p.srvid);
  m.answer.good();
}

void database::on(db_push& m) {
  if (pushed_)
    pushes_.on(m, {.equal = equal_open_, .difference = equal_open_ && !freeze_.wiped}, *pushed_);
}

void database::push_confirm(db_control& m) {
  if (!pushes_.is_on()) return m.answer.fail("no push is going on");
  const auto count = pushes_.count();
  if (!count) {
    pushes_.stop();
    return m.answer.fail("push failed: " + count.error());
  }
  if (!transition(freeze_event::push_confirm{}, m.answer)) return;
  pushes_.stop();
  m.answer.good(wire::encode(*count));
}

}  // namespace floe
