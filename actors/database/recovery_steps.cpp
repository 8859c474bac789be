/// The database's part in a recovery: freeze, transaction, thaw. What is taken from it and given to it in between:
/// recovery_pull.cpp, recovery_push.cpp, recovery_commit.cpp.
#include "actors/database/database.hpp"

#include <algorithm>

#include "actors/database/refusal_text.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/detaching.hpp"
#include "protocol/rules/left_out.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Its commit would open what a later recovery has left, or has gone on without (left_out.hpp).
bool refuse_if_older(const cluster_view& view, generation tid, const replier& answer) {
  if (!supersedes(view.gen, tid)) return false;
  answer.fail("the node knows of a later recovery");
  return true;
}

}  // namespace

bool database::transition(const freeze_input& event, const replier& answer, freeze_step* out) {
  if (store_use_ !=
      store_use::here) {  // only our own, as on becoming inactive: that is made up for
    answer.fail("database is busy with the step before");
    if (thawed()) table_.reopen();  // a freeze has closed it already
    return false;
  }
  const auto before = freeze_;
  auto s = step(before, event);
  if (out) *out = s;
  if (s.refused != freeze_refusal::none) {
    env_.log.tell(
        event::freeze_refused{.db = config_.name, .why = refusal_text(before, s.refused)});
    answer.fail(refusal_text(before, s.refused));
    if (thawed()) table_.reopen();
    return false;
  }
  freeze_ = s.next;
  if (s.roll_back) {
    transaction_.pushed.reset();
    witness(&database_witness::gave_up);
  }
  if (s.abandon_push) pushes_.stop();
  if (before.state != freeze_.state) {
    state_since_ = env_.loop.now();
    note(event::freeze_state{
        .from = name(before.state), .to = name(freeze_.state), .holders = locks_.holders()});
    changed();
    if (freeze_.state == freeze_state::freezing) {
      holders_.begin(lock_holders(), leaving() || closed_ || holds_in_vain());
      need_tick();
    }
    if (freeze_.state == freeze_state::thawed)
      table_.reopen();
    else if (freeze_.state != freeze_state::freezing)
      table_.empty();
  }
  if (s.frozen_now)
    for (auto& w : std::exchange(freeze_waiters_, {})) w.good();
  if (s.freeze_undone)
    for (auto& w : std::exchange(freeze_waiters_, {})) w.fail("freeze was given up");
  thaws_.answer();
  return true;
}

/// Which recovery a step belongs to: nodes send with the generation of their map, and a leader's is that of its recovery.
/// Nothing for clients: tools, which lead none, and the helper of a ctdbd that leads one.
std::optional<generation> database::recovery_of(const db_control& m) const {
  if (m.client || std::get<req_control>(m.packet->content.body).client_id != 0) return std::nullopt;
  return m.packet->content.header.gen;
}

void database::freeze(db_control& m) {
  if (m.from == env_.self && !m.client &&
      (std::get<req_control>(m.packet->content.body).flags & freeze_left_out)) {
    // what holders store is not seen by those who go on, whether or not their recovery succeeds
    freeze_by_itself();
    own_freeze_ = step(own_freeze_, own_freeze_event::left_out);
    void_locks("left out");
    hurry_void_holders();
    serve_muted();
    return m.answer.good();
  }
  const bool of_recovery = !is_outside(m);
  const auto flags = recovery_of(m) ? std::get<req_control>(m.packet->content.body).flags : 0;
  const bool in_vain = flags & (freeze_outdated | freeze_outnumbered);
  freeze_step s;
  if (!transition(
          freeze_event::freeze{.locks_held = close_to_new_holders(), .recovers = of_recovery},
          m.answer, &s))
    return;
  if (s.wait)
    freeze_waiters_.push_back(m.answer);
  else
    m.answer.good();
  if (of_recovery)
    own_freeze_ =
        step(own_freeze_, in_vain ? own_freeze_event::left_out : own_freeze_event::counted);
  if (in_vain) {
    void_locks(flags & freeze_outdated ? "outdated" : "outnumbered");
    hurry_void_holders();
  }
  serve_muted();
}

/// This node must expect that others have gone on without it: nothing is acknowledged any more.
void database::freeze_by_itself() {
  cut_offs_ = config_.pulse->cut_offs();
  if (gen_ == generation::invalid) return;
  own_freeze_ = step(own_freeze_, own_freeze_event::cut_off);
  table_.answer();
  sender_.stop();
  if (freeze_.state == freeze_state::in_transaction) transition(freeze_event::cancel{}, {});
  transition(freeze_event::freeze{.locks_held = close_to_new_holders()}, {});
}

/// No lock succeeds from now on, here or in the record table; says whether somebody holds one.
bool database::close_to_new_holders() {
  const bool in_table = table_.close();
  return in_table || locks_.holders() > 0;
}

/// Clients have let go of records in the table: the last one completes a freeze.
void database::on(db_table_rung& m) {
  table_.look_at_recalls(m);
  if (!store_ || freeze_.state != freeze_state::freezing) return;
  if (!anybody_holds())
    transition(freeze_event::last_holder_gone{}, {});
  else if (table_.any_holder())
    table_.look_later();
}

void database::table_client_gone(std::uint64_t client, bool has_unmapped) {
  if (!table_.client_gone(client, has_unmapped)) return;
  db_table_rung look;
  on(look);
}

void database::on(db_holders_late& m) {
  if (holders_.is_of_this(m) && freeze_.state == freeze_state::freezing)
    holders_.late(lock_holders());
}

/// Whoever holds a lock learns it at his next word. The last one completes a freeze.
void database::void_locks(const char* why) {
  for (const bytes& key : locks_.keys())
    if (const auto* e = locks_.find(key); e && e->holder) unlock(key, why);
}

/// What is void counts no more, in the memory that clients share with the node either: but there only its holder can let go of a
/// lock. It is held for moments, mostly; whoever takes longer is not waited for as if he had a right to it.
bool database::holds_in_vain() const {
  return own_freeze_ == own_freeze::voided && !inactive() &&
         !mutated(mutant::void_locks_waited_for);
}

void database::hurry_void_holders() {
  if (holds_in_vain() && freeze_.state == freeze_state::freezing)
    holders_.begin(lock_holders(), true);
}

/// What holders have asked for while nobody knew whether it would last.
void database::serve_muted() {
  if (own_freeze_ == own_freeze::muted) return;
  for (auto& m : std::exchange(muted_, {})) {
    database_message again(std::move(m));
    receive(again);
  }
}

/// Stopped or banned: what we hold may be outdated from now on and serves nobody.
void database::become_inactive() {
  witness(&database_witness::left);
  gen_ = generation::invalid;
  committed_ = false;
  transition(freeze_event::freeze{.locks_held = close_to_new_holders(),
                                  .invalidate = config_.kind == db_kind::volatile_db},
             {});
  // holders keep their locks, for which a ban may wait, and store nothing any more
  own_freeze_ = step(own_freeze_, own_freeze_event::left_out);
  table_.answer();
  serve_muted();
  changed();
}

/// In good order: what is here goes to the others in a recovery, so nothing may be acknowledged any more that it would not
/// find (rules/departure.hpp). Nobody gets a lock any more; who has one may use it, for a moment.
void database::leave() {
  if (freeze_.state == freeze_state::freezing)
    holders_.begin(lock_holders(), true);  // no longer as patiently as the recovery that goes on
  transition(freeze_event::freeze{.locks_held = close_to_new_holders()}, {});
}

/// Recoveries go on with it, since others may not have closed it yet; only their thaws do not open it (rules/detaching.hpp). Locks
/// in the record table are held for moments and waited for, others count no more.
void database::close(db_control& m) {
  closed_ = std::get<req_control>(m.packet->content.body).flags & detach_close;
  if (!closed_) return m.answer.good();
  freeze_step s;
  if (!transition(freeze_event::freeze{.locks_held = close_to_new_holders()}, m.answer, &s)) return;
  if (s.wait) freeze_waiters_.push_back(m.answer);
  void_locks("detached");
  if (freeze_.state == freeze_state::freezing) holders_.begin(lock_holders(), true);
  if (!s.wait) m.answer.good();
}

void database::begin(db_control& m) {
  const auto& t = m.request<control::db_transaction_start>();
  const bool outside = is_outside(m);
  if (outside && own_freeze_ != own_freeze::none)
    return m.answer.fail("this node was cut off, and waits for a recovery");
  if (refuse_if_older(*view_, t.tid, m.answer)) return;
  // what is under way there would meet what is put in its place, and a recovery may have begun under the same generation
  if (outside && view_->mode == recovery_mode::active)
    return m.answer.fail(std::string(name(freeze_refusal::recovery_began)));
  if (!transition(freeze_event::begin{t.tid, gen_, outside, view_->gen}, m.answer)) return;
  open_transaction(m);
  m.answer.good();
}

/// A volatile database whose file is damaged is of no use to anybody, and would keep all others from recovering. Who has had
/// trouble with its storage looks through it, and begins anew if it cannot be read: what was in it counts no more, as if the
/// node had been started again, and this recovery fills it.
void database::open_transaction(const db_control& m) {
  if (config_.kind == db_kind::volatile_db && !storage_.what().empty()) {
    const auto read = store_->scan({}, [](const record_view&) { return true; });
    const bool corrupt = storage_.corrupt() || (!read && read.error().code == store_errc::corrupt);
    auto options = store_->options();
    options.create_empty = true;  // the old file is one without a name from here on
    if (corrupt)
      if (auto fresh = store::open(options)) {
        *store_ = std::move(*fresh);
        last_header_.known = false;
        gen_ = generation::invalid;
        committed_ = false;
        past_ = {};
        transition(freeze_event::freeze{.locks_held = false, .invalidate = true}, {});
        own_freeze_ = step(own_freeze_, own_freeze_event::left_out);
        env_.log.tell(
            event::database_damaged{.db = config_.name, .what = "made anew: " + storage_.what()});
      }
  }
  witness(&database_witness::began, freeze_.tid);
  damage_.transaction_begins();
  transaction_ = {.of = asker_of(m), .pushed = std::make_unique<recovery_set>()};
}

void database::recovery_begin(db_control& m) {
  const auto& t = m.request<control::db_recovery_begin>();
  if (refuse_if_older(*view_, t.tid, m.answer)) return;
  if (!transition(freeze_event::begin{t.tid, gen_}, m.answer)) return;
  open_transaction(m);
  transaction_.equal = true;
  const bool knows_filled =
      std::get<req_control>(m.packet->content.body).flags & begin_knows_filled;
  if (filling_.is_full() && knows_filled && freeze_.records_invalid) {
    filling_.told_in(t.tid);
    return m.answer.good(
        wire::encode(db_copy_state{.changes = static_cast<std::uint32_t>(change_state::filled),
                                   .keys = filling_.changed().size(),
                                   .records = store_->count().value_or(0),
                                   .earlier = {filling_.base()}}));
  }
  if (config_.kind == db_kind::volatile_db) return m.answer.good(wire::encode(copy_state()));
  sums_.sum([this, tid = t.tid, answer = m.answer](const db_digest* sum, const std::string&) {
    if (in_recovery(tid, answer)) answer.good(wire::encode(copy_state(sum)));
  });
}

/// It was committed with, or created under.
generation database::content() const {
  if (freeze_.records_invalid) return generation::invalid;
  if (committed_) return gen_;
  return config_.kind == db_kind::volatile_db ? birth_under(gen_) : generation::invalid;
}

/// `sum`: of the content, where it is asked for and could be made.
db_copy_state database::copy_state(const db_digest* sum) const {
  const auto& changes = store_->changes();
  db_copy_state s;
  s.content = content();
  s.records = store_->count().value_or(0);
  // not of this content, if a commit was refused after the store had it
  if (s.content == generation::invalid || changes.base() != s.content) return s;
  if (mutated(mutant::left_in_table_not_told) && table_.has_records()) return s;
  s.changes = static_cast<std::uint32_t>(changes.state());
  s.keys = changes.keys();
  s.earlier = changes.earlier();
  if (config_.kind == db_kind::volatile_db) return s;
  if (sum)
    s.digest = sum->sum ^ sum->records;
  else
    s.changes = static_cast<std::uint32_t>(change_state::none);
  return s;
}

/// Whether the database is in this transaction of a recovery of floe's nodes; says why if it is not.
bool database::in_recovery(generation tid, const replier& answer) const {
  if (freeze_.state == freeze_state::in_transaction && freeze_.tid == tid && transaction_.equal)
    return true;
  answer.fail("no such recovery is going on here");
  return false;
}

void database::cancel(db_control& m) {
  if (!transition(freeze_event::cancel{}, m.answer)) return;
  transaction_.pushed.reset();
  sender_.stop();
  m.answer.good();
}

/// Nothing is removed yet: the commit replaces the content in one piece, or, if it never comes, nothing was lost.
void database::wipe(db_control& m) {
  const auto& t = m.request<control::wipe_database>();
  if (refuse_if_anothers(m)) return;
  if (!transition(freeze_event::wipe{t.tid}, m.answer)) return;
  transaction_.pushed = std::make_unique<recovery_set>();
  m.answer.good();
}

void database::thaw(db_control& m) {
  const auto of = recovery_of(m);
  const bool open = freeze_.state == freeze_state::in_transaction;
  const bool fits = may_thaw(of.value_or(view_->gen), gen_, view_->gen, open);
  if (view_->mode == recovery_mode::active && !inactive() && !fits) {
    if (of) return m.answer.fail("another recovery has been here since");
    // a tool thaws what it has frozen; a recovery that has begun meanwhile ends with a thaw of its own
    return m.answer.good();
  }
  if (closed_) return m.answer.good();
  if (own_freeze_ != own_freeze::none)
    return m.answer.fail("this node was cut off, and waits for a recovery");
  freeze_step s;
  if (!transition(freeze_event::thaw{.inactive = inactive(),
                                     .outside = is_outside(m),
                                     .recovering = view_->mode == recovery_mode::active,
                                     .left_out = !may_own(equal_, is_member(), leaving())},
                  m.answer, &s))
    return;
  if (s.recover_first) return thaws_.add(m.answer);
  if (!thawed()) return m.answer.good();  // it stays closed, for a recovery or since it is left out
  transaction_.pushed.reset();
  sender_.stop();
  m.answer.good();
  history_.ask_if_wanted();
  if (!s.resume) return;
  serve_deferred();
  copies_.end_call_backs();
  resend_pending();
  serve_until_thaw();
}

}  // namespace floe
