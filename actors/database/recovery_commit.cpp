/// The commit of a recovery: what was pushed becomes the content, in one piece, with its generation and its health.
#include <span>
#include <vector>

#include "actors/database/database.hpp"
#include "actors/database/kept_past.hpp"
#include "actors/database/log_text.hpp"
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

}  // namespace

void database::commit(db_control& m) {
  const auto& t = m.request<control::db_transaction_commit>();
  // what the rules say is done only once the records are in place: until then the transaction is open
  if (refuse_if_anothers(m)) return;
  // it would open here what the later one has not seen
  if (supersedes(view_->gen, t.tid)) return m.answer.fail("the node knows of a later recovery");
  const freeze_event::commit wanted{.tid = t.tid,
                                    .inactive = inactive(),
                                    .filled = commits_what_was_filled(),
                                    .recovering = view_->mode == recovery_mode::active,
                                    .records = pushed_ && pushed_->size() > 0};
  const auto planned = step(freeze_, wanted);
  if (planned.refused != freeze_refusal::none)
    return m.answer.fail(refusal_text(freeze_, planned.refused));
  if (!pushed_) return m.answer.fail("a commit of this transaction has failed: it has no records");
  // the store changes hands only without an open group
  if (auto done = store_->flush(); !done) {
    storage_.leave_without_room(*pushed_, done.error());
    return m.answer.fail("cannot commit what was stored before: " + done.error().text);
  }
  const bool replaced = planned.next.replaced;
  if (replaced && freeze_.wiped) keep_number_rising(*pushed_);
  auto set = std::shared_ptr<recovery_set>(std::move(pushed_));
  auto result = std::make_shared<std::expected<replace_result, store_error>>();
  auto after = freeze_.wiped ? damage_after_commit() : damage_;
  // what is replaced as a whole has no copies
  auto copies = freeze_.wiped ? std::vector<bytes>() : keys_with_copies();
  const auto size = set->size() + copies.size();
  // a tool gives the same to all nodes
  const bool equal = equal_open_ || (replaced && freeze_.wiped);
  // volatile contents are told apart by what has changed
  auto past = config_.kind == db_kind::volatile_db ? nullptr : std::make_shared<past_to_keep>();
  auto work = [store = store_, set, result, tid = planned.committed, equal, wiped = freeze_.wiped,
               now = damage_, after, copies = std::move(copies), past, before = past_] {
    // an earlier try has committed that generation here, and its content did not stay: the name means two contents
    auto& changes = store->changes();
    const bool ambiguous =
        changes.base() == tid && (wiped || set->size() > 0 || changes.keys() > 0);
    // content and health change together
    if (past) *past = past_after(*store, *set, wiped, tid, before);
    std::vector<change> meta;
    if (now != after) meta.push_back(change::set_meta(damage_name, after));
    if (past && past->changed) meta.push_back(change::set_meta(past_name, past->in_file));
    if (auto ended = end_copies(*store, copies); !ended) {
      *result = std::unexpected(std::move(ended.error()));
      return;
    }
    if (wiped) {
      *result = set->replace_content(*store, meta);
    } else {
      auto stored = equal ? set->apply_difference(*store, meta) : set->store_into(*store);
      if (!stored) *result = std::unexpected(stored.error());
    }
    if (!*result) return;
    if (past && (!past->changed || !(wiped || equal))) keep_past(*store, past->in_file);
    if (!equal || ambiguous)
      changes.forget();
    else if (wiped)
      changes.begin(tid);
    else
      changes.step(tid);
  };
  auto finish = [this, wanted, set, by = m, result, after, replaced, past,
                 wiped = freeze_.wiped] {
    const auto& answer = by.answer;
    auto event = wanted;  // a recovery that has begun meanwhile finds what is there now
    event.inactive = inactive();
    if (!*result) {
      storage_.leave_without_room(*set, result->error());
      return answer.fail("cannot store the recovered records: " + result->error().text);
    }
    storage_.found_room();
    if (past) past_ = std::move(past->past);
    if (damage_ != after) {
      damage_ = after;
      node_.tell(database_health{config_.id, damage_});
    }
    freeze_step s;
    if (!transition(event, answer, &s)) return;
    if (!past)
      past_ = past_of_volatile(
          past_,
          {.gen = s.committed, .replaced = replaced, .of_others = wiped && !gave_content_});
    if (wiped && !replaced && !mutated(mutant::replaced_in_place)) drop_what_waits();
    if (wiped) drop_table_content();
    filling_.forget();
    finish_commit(s, answer);
    if (replaced) tell_replaced(by, store_->count().value_or(0));
  };
  if (size <= small_commit && config_.kind != db_kind::persistent) {
    work();
    return finish();
  }
  give_store_away(store_use::recovering);
  env_.loop.offload(std::move(work),
                    [to = self(), finish = std::move(finish)] { to.tell(db_work_done{finish}); });
}

void database::finish_commit(const freeze_step& s, const replier& answer) {
  const auto before = gen_;
  if (config_.witness) witness(&database_witness::committed, s.committed, sequence_number());
  gen_ = s.committed;
  committed_ = true;
  forget_copies();
  // what is stored under the same generation leaves the other records as they are
  equal_ = equal_open_ || (equal_ && before == gen_);
  note(event::generation{.from = before, .to = gen_});
  changed(true);
  drop_stale_waiters(before);
  answer.good();
  // an operator who replaces content does not know who has gone on
  if (!s.next.replaced && gen_ != before)
    own_freeze_ = step(own_freeze_, own_freeze_event::committed);
  if (hot_records_) answer_for_table();
  serve_muted();
}

/// Said by whoever replaces the content; without a transaction it takes effect at once.
void database::declare_health(db_control& m, std::string damage) {
  if (freeze_.state == freeze_state::in_transaction)
    declared_damage_ = std::move(damage);
  else
    set_damage(std::move(damage));
  m.answer.good();
}

/// A leader that does not say how whole its sources were has taken the content from us or from somebody better.
std::string database::damage_after_commit() const {
  if (declared_damage_) return *declared_damage_;
  return gave_content_ ? damage_ : std::string();
}

void database::set_damage(std::string damage) {
  if (damage == damage_) return;
  damage_ = std::move(damage);
  if (auto done = store_->set_meta(damage_name, damage_); !done)
    storage_failed("note damage", done.error());
  if (auto done = store_->flush(); !done) storage_failed("note damage", done.error());
  node_.tell(database_health{config_.id, damage_});
}

void database::get_seqnum(db_control& m) {
  if (!transition(freeze_event::read{}, m.answer)) return;
  const auto flags = std::get<req_control>(m.packet->content.body).flags;
  if (!m.client && (flags & seqnum_with_past))
    return m.answer.good(past_bytes(past_, sequence_number()));
  m.answer.good(wire::encode(sequence_number()));
}

std::uint64_t database::sequence_number() const { return sequence_number_in(*store_); }

}  // namespace floe
