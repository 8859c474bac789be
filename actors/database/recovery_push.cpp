/// What a recovery gives to this node's copy of a database: the records come as messages, and are kept until the commit.
#include "actors/database/database.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void database::push_start(db_control& m) {
  const auto& p = m.request<control::db_push_start>();
  // of two leaders that recover at once one may come late: what it sends belongs to its own transaction, which is no more
  if (const auto of = recovery_of(m);
      of && equal_open_ && *of != freeze_.tid && !mutated(mutant::push_into_anothers))
    return m.answer.fail("another recovery has been here since");
  if (refuse_if_anothers(m)) return;
  if (!transition(freeze_event::push_start{}, m.answer)) return;
  stop_push();
  push_ = push_state{.srvid = p.srvid};
  node_.tell(listen_messages{p.srvid, number(config_.id), [to = self()](parcel_ptr packet) {
                               to.tell(db_push{std::move(packet)});
                             }});
  m.answer.good();
}

void database::on(db_push& m) {
  if (!push_ || !pushed_) return;
  const auto& message = std::get<req_message>(m.packet->content.body);
  if (message.srvid != push_->srvid) return;  // a late one of an earlier push
  auto buffer = wire::decode<rec_buffer>(message.data);
  // CTDB's tool leaves the id of the database that a backup was made of
  if (!buffer) {
    push_->error = buffer.error().text();
    return;
  }
  pushed_->keep(m.packet->raw);
  // the same on all nodes; from outside: a recovery follows that knows what to do with owners who are not there
  const bool as_given =
      equal_open_ || (freeze_.outside && replaced_under(freeze_.tid) != generation::invalid);
  for (const rec_data& r : *buffer) {
    auto whole = r.as_record();
    if (equal_open_ && !freeze_.wiped && r.data.empty()) {  // of a difference: this record is gone
      pushed_->erase(r.key);
      ++push_->count;
      continue;
    }
    if (!whole) {
      push_->error = "a record without header";
      return;
    }
    whole->header = without_copies(whole->header);
    if (as_given) {
      pushed_->add(*whole);
      ++push_->count;
      continue;
    }
    const auto d = decide_store(config_.kind, env_.self, lmaster(whole->key), whole->header,
                                !whole->data.empty());
    ++push_->count;
    if (!d.keep) continue;
    whole->header = d.header;
    pushed_->add(*whole);
  }
}

void database::push_confirm(db_control& m) {
  if (refuse_if_anothers(m)) return;
  if (!push_) return m.answer.fail("no push is going on");
  const auto count = push_->count;
  if (const auto error = push_->error; !error.empty()) {
    stop_push();
    return m.answer.fail("push failed: " + error);
  }
  if (!transition(freeze_event::push_confirm{}, m.answer)) return;
  stop_push();
  m.answer.good(wire::encode(count));
}

void database::stop_push() {
  if (!push_) return;
  node_.tell(unlisten_messages{push_->srvid, number(config_.id)});
  push_.reset();
}

}  // namespace floe
