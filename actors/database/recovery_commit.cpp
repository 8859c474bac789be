/// The commit of a recovery: what was pushed becomes the content, in one piece, with its generation and its health.
#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "actors/database/database.hpp"
#include "actors/database/kept_past.hpp"
#include "actors/database/refusal_text.hpp"
#include "actors/database/sequence_number.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// From this many records the commit is done on another thread; always if it waits for the disk.
constexpr std::size_t small_commit = 500;

/// Of these records there are no read-only copies any more, nor are they copies.
std::expected<void, store_error> end_copies(store& s, const std::vector<bytes>& keys) {
  for (const bytes& key : keys) {
    auto r = s.get(key);
    if (!r) return std::unexpected(std::move(r.error()));
    if (!*r || !((*r)->header.flags & record_flag::ro_all)) continue;
    if (auto done = s.put(key, without_copies((*r)->header), (*r)->data); !done) return done;
  }
  return keys.empty() ? std::expected<void, store_error>() : s.flush();
}

/// What is made of nothing has the empty content for its past, as what is created under that map.
void begin_changes(change_history& changes, generation tid, bool of_nothing) {
  if (!of_nothing || mutated(mutant::made_of_nothing_forgotten)) return changes.begin(tid);
  changes.begin(birth_under(tid));
  changes.step(tid);
}

}  // namespace

/// What a commit writes, perhaps on another thread: nothing of the database is touched meanwhile.
struct content_write {
  std::shared_ptr<store> to;
  std::shared_ptr<recovery_set> set;
  generation tid = generation::invalid;
  bool equal = false;       ///< on all nodes of a recovery of floe's nodes alone
  bool wiped = false;       ///< the set is all there is from now on
  bool of_nothing = false;  ///< nobody's copy has counted
  bool parted = false;      ///< some who had the content before take no part in this one
  std::string damage_before{}, damage_after{};
  std::vector<bytes> copies{};  ///< records of which copies are out
  std::optional<content_past>
      before{};  ///< of a content with transactions: volatile ones are told apart by what has changed
  std::optional<content_past> told{};  ///< by the leader, of what is committed
  bool leaves = false;                 ///< this node, with this recovery
  past_to_keep past{};                 ///< what it becomes

  std::size_t size() const { return set->size() + copies.size(); }
  std::expected<replace_result, store_error> carry_out();
};

std::expected<replace_result, store_error> content_write::carry_out() {
  auto& changes = to->changes();
  // an earlier try has committed that generation here, and its content did not stay: the name means two contents
  const bool ambiguous = changes.base() == tid && (wiped || set->size() > 0 || changes.keys() > 0);
  // content, health and past change together
  if (before)
    past = past_after(
        *to, *set, {.wiped = wiped, .gen = tid, .before = *before, .told = told, .leaves = leaves});
  std::vector<change> meta;
  if (damage_before != damage_after) meta.push_back(change::set_meta(damage_name, damage_after));
  if (before && past.changed) meta.push_back(change::set_meta(past_name, past.in_file));
  if (auto ended = end_copies(*to, copies); !ended) return std::unexpected(ended.error());
  std::expected<replace_result, store_error> result;
  if (wiped) {
    result = set->replace_content(*to, meta);
  } else if (auto stored = equal ? set->apply_difference(*to, meta) : set->store_into(*to);
             !stored) {
    result = std::unexpected(stored.error());
  }
  if (!result) return result;
  if (before && (!past.changed || !(wiped || equal))) keep_past(*to, past.in_file);
  if (!equal || ambiguous)
    changes.forget();
  else if (wiped)
    begin_changes(changes, tid, of_nothing);
  else
    changes.step(tid, parted);
  return result;
}

void database::commit(db_control& m) {
  const auto& t = m.request<control::db_transaction_commit>();
  // what the rules say is done only once the records are in place: until then the transaction is open
  if (refuse_if_anothers(m)) return;
  // it would open here what the later one has not seen
  if (supersedes(view_->gen, t.tid)) return m.answer.fail("the node knows of a later recovery");
  auto& pushed = transaction_.pushed;
  const freeze_event::commit wanted{.tid = t.tid,
                                    .inactive = inactive(),
                                    .filled = commits_what_was_filled(),
                                    .recovering = view_->mode == recovery_mode::active,
                                    .records = pushed && pushed->size() > 0};
  const auto planned = step(freeze_, wanted);
  if (planned.refused != freeze_refusal::none)
    return m.answer.fail(refusal_text(freeze_, planned.refused));
  if (!pushed) return m.answer.fail("a commit of this transaction has failed: it has no records");
  // the store changes hands only without an open group
  const bool replaced = planned.next.replaced;
  if (auto done = store_->flush(); !done) {
    storage_.leave_without_room(*pushed, done.error(), replaced);
    return m.answer.fail("cannot commit what was stored before: " + done.error().text);
  }
  if (replaced && freeze_.wiped) keep_number_rising(*pushed);
  transaction_.of_nothing =
      transaction_.equal &&
      (std::get<req_control>(m.packet->content.body).flags & commit_of_nothing);
  const auto write = std::make_shared<content_write>(write_of(planned.committed, replaced));
  auto result = std::make_shared<std::expected<replace_result, store_error>>();
  const auto worked = std::make_shared<duration>();
  auto work = [write, result] { *result = write->carry_out(); };
  auto finish = [this, wanted, by = m, write, result, replaced, worked] {
    meter_.worked_elsewhere(*worked);
    if (*result) return committed(wanted, by, *write, replaced);
    storage_.leave_without_room(*write->set, result->error(), replaced);
    by.answer.fail("cannot store the recovered records: " + result->error().text);
  };
  if (write->size() <= small_commit && config_.kind != db_kind::persistent) {
    work();
    return finish();
  }
  give_store_away(store_use::recovering);
  env_.loop.offload([work, worked] { *worked = processor_time_of(work); },
                    [to = self(), finish = std::move(finish)] { to.tell(db_work_done{finish}); });
}

/// What was pushed, as it is written; it is no longer the transaction's.
content_write database::write_of(generation tid, bool replaced) {
  const bool wiped = freeze_.wiped;
  // what a full disk has kept in the record table is part of what this node has told of
  if (transaction_.equal && !wiped && config_.kind == db_kind::volatile_db)
    transaction_.pushed->add_missing(table_.left());
  return {.to = store_,
          .set = std::move(transaction_.pushed),
          .tid = tid,
          .equal = transaction_.equal || (replaced && wiped),  // a tool gives the same to all nodes
          .wiped = wiped,
          .of_nothing = transaction_.of_nothing,
          .parted = std::ranges::any_of(sharers_, [&](pnn n) { return !view_->is_member(n); }),
          .damage_before = damage_.text(),
          .damage_after = wiped ? damage_.after_commit() : damage_.text(),
          // what is replaced as a whole has no copies
          .copies = wiped ? std::vector<bytes>() : copies_.keys(),
          .before = config_.kind == db_kind::volatile_db ? std::nullopt : std::optional(past_),
          .told = transaction_.past,
          // a recovery that had begun before a node wanted to leave still has it in its map
          .leaves = leaving() && !is_member()};
}

/// The store has what was pushed: now the rules are told.
void database::committed(freeze_event::commit event, const db_control& by, const content_write& w,
                         bool replaced) {
  event.inactive = inactive();  // a recovery that has begun meanwhile finds what is there now
  storage_.found_room();
  if (w.before) past_ = w.past.past;
  damage_.committed(w.damage_after);
  freeze_step s;
  if (!transition(event, by.answer, &s)) return;
  if (!w.before)
    past_ = past_of_volatile(past_, {.gen = s.committed,
                                     .replaced = replaced,
                                     .of_others = w.wiped && !damage_.content_given()});
  if (w.wiped && !replaced && !mutated(mutant::replaced_in_place)) drop_what_waits();
  if (w.wiped || w.equal) table_.drop_content();
  filling_.forget();
  finish_commit(s, by.answer);
  if (replaced) tell_replaced(by, store_->count().value_or(0));
}

void database::finish_commit(const freeze_step& s, const replier& answer) {
  const auto before = gen_;
  if (config_.witness)
    witness(&database_witness::committed, s.committed, sequence_number_of(*store_));
  gen_ = s.committed;
  committed_ = true;
  copies_.forget();
  sharers_ = view_->members;
  const bool all_from_others = transaction_.equal && store_->changes().oldest() == gen_;
  if (config_.kind == db_kind::volatile_db && all_from_others) history_.wanted();
  // what is stored under the same generation leaves the other records as they are
  equal_ = transaction_.equal || (equal_ && before == gen_);
  note(event::generation{.from = before, .to = gen_});
  changed(true);
  drop_stale_waiters(before);
  answer.good();
  // an operator who replaces content does not know who has gone on
  if (!s.next.replaced && gen_ != before)
    own_freeze_ = step(own_freeze_, own_freeze_event::committed);
  table_.answer();
  serve_muted();
}

/// It belongs to the transaction that is open.
void database::take_past(const replier& answer, byte_view told) {
  transaction_.past = told_past(told);
  if (!transaction_.past) return answer.fail("not the past of a content");
  answer.good();
}

void database::get_seqnum(db_control& m) {
  if (!transition(freeze_event::read{.outside = m.client.has_value()}, m.answer)) return;
  if (m.client && !port_.is_of_map() && !mutated(mutant::number_of_before_the_records))
    return m.answer.fail(std::string(name(freeze_refusal::access_denied)));
  if (config_.kind == db_kind::volatile_db) table_.answer();  // whoever asks reads the number there
  const auto n = sequence_number_of(*store_);
  const auto flags = std::get<req_control>(m.packet->content.body).flags;
  if (!m.client && (flags & seqnum_with_past)) return m.answer.good(past_bytes(past_, n));
  m.answer.good(wire::encode(n));
}

}  // namespace floe
