/// What a recovery gives to this node's copy of a database; the records: push_receiver.hpp.
#include "actors/database/database.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void database::push_start(db_control& m) {
  const auto& p = m.request<control::db_push_start>();
  if (refuse_if_anothers(m)) return;
  // a ctdbd's packets carry the generation of its map, which need not be its recovery's
  const auto of =
      transaction_.equal ? recovery_of(m).value_or(generation::invalid) : generation::invalid;
  if (!transition(freeze_event::push_start{of}, m.answer)) return;
  pushes_.start(p.srvid);
  m.answer.good();
}

void database::on(db_push& m) {
  if (!transaction_.pushed) return;
  meter_.received(m.packet->raw->size());
  // from outside, too: a recovery follows that knows what to do with owners who are not there
  const bool equal =
      transaction_.equal || (freeze_.outside && replaced_under(freeze_.tid) != generation::invalid);
  pushes_.on(m, {.equal = equal, .difference = transaction_.equal && !freeze_.wiped},
             *transaction_.pushed);
}

void database::push_confirm(db_control& m) {
  if (refuse_if_anothers(m)) return;
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
