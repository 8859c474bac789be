/// The database's part in a recovery: freeze, transaction, pull, wipe, push, commit, thaw.
#include <fmt/format.h>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Pull buffers on their way at a time: enough to keep the network busy, little enough to bound memory.
constexpr unsigned pull_window = 4;
/// From this many records the commit is done on another thread.
constexpr std::size_t small_commit = 500;

std::string refusal_text(const freeze_status& s, freeze_refusal r) {
  return fmt::format("{} (database is {})", name(r), name(s.state));
}

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

bool database::transition(const freeze_input& event, const replier& answer, freeze_step* out) {
  if (store_use_ !=
      store_use::here) {  // only our own, as on becoming inactive: that is made up for
    answer.fail("database is busy with the step before");
    if (thawed()) reopen_table();  // a freeze has closed it already
    return false;
  }
  const auto before = freeze_;
  auto s = step(before, event);
  if (out) *out = s;
  if (s.refused != freeze_refusal::none) {
    env_.log.tell(
        event::freeze_refused{.db = config_.name, .why = refusal_text(before, s.refused)});
    answer.fail(refusal_text(before, s.refused));
    if (thawed()) reopen_table();
    return false;
  }
  freeze_ = s.next;
  if (s.roll_back) {
    pushed_.reset();
    witness(&database_witness::gave_up);
  }
  if (s.abandon_push) stop_push();
  if (before.state != freeze_.state) {
    state_since_ = env_.loop.now();
    note(event::freeze_state{
        .from = name(before.state), .to = name(freeze_.state), .holders = locks_.holders()});
    changed();
    if (freeze_.state == freeze_state::freezing) freeze_waits();
    if (freeze_.state == freeze_state::thawed)
      reopen_table();
    else if (freeze_.state != freeze_state::freezing)
      empty_table();
  }
  if (s.frozen_now)
    for (auto& w : std::exchange(freeze_waiters_, {})) w.good();
  if (s.freeze_undone)
    for (auto& w : std::exchange(freeze_waiters_, {})) w.fail("freeze was given up");
  return true;
}

/// Which recovery a step belongs to: nodes send with the generation of their map, and a leader's is that of its recovery.
/// Nothing for clients: tools, which lead none, and the helper of a ctdbd that leads one.
std::optional<generation> database::recovery_of(const db_control& m) const {
  if (m.client || std::get<req_control>(m.packet->content.body).client_id != 0) return std::nullopt;
  return m.packet->content.header.gen;
}

void database::freeze(db_control& m) {
  const bool of_recovery = recovery_of(m) || view_->mode == recovery_mode::active;
  const bool outdated =
      recovery_of(m) && (std::get<req_control>(m.packet->content.body).flags & freeze_outdated);
  freeze_step s;
  if (!transition(freeze_event::freeze{.locks_held = close_table()}, m.answer, &s)) return;
  if (s.wait)
    freeze_waiters_.push_back(m.answer);
  else
    m.answer.good();
  if (of_recovery)
    own_freeze_ =
        step(own_freeze_, outdated ? own_freeze_event::left_out : own_freeze_event::counted);
  if (outdated) void_locks("outdated");
  serve_muted();
}

/// This node must expect that others have gone on without it: nothing is acknowledged any more.
void database::freeze_by_itself() {
  cut_offs_ = config_.pulse->cut_offs();
  if (gen_ == generation::invalid) return;
  own_freeze_ = step(own_freeze_, own_freeze_event::cut_off);
  if (hot_records_) answer_for_table();
  pull_.reset();
  if (freeze_.state == freeze_state::in_transaction) transition(freeze_event::cancel{}, {});
  transition(freeze_event::freeze{.locks_held = close_table()}, {});
}

/// Whoever holds a lock learns it at his next word. The last one completes a freeze.
void database::void_locks(const char* why) {
  for (const bytes& key : locks_.keys())
    if (const auto* e = locks_.find(key); e && e->holder) unlock(key, why);
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
  transition(freeze_event::freeze{.locks_held = close_table(),
                                  .invalidate = config_.kind == db_kind::volatile_db},
             {});
  // holders keep their locks, for which a ban may wait, and store nothing any more
  own_freeze_ = step(own_freeze_, own_freeze_event::left_out);
  if (hot_records_) answer_for_table();
  serve_muted();
  changed();
}

void database::begin(db_control& m) {
  const auto& t = m.request<control::db_transaction_start>();
  if (!recovery_of(m) && view_->mode == recovery_mode::normal && own_freeze_ != own_freeze::none)
    return m.answer.fail("this node was cut off, and waits for a recovery");
  if (!transition(freeze_event::begin{t.tid, gen_}, m.answer)) return;
  open_transaction();
  m.answer.good();
}

void database::open_transaction() {
  witness(&database_witness::began, freeze_.tid);
  declared_damage_.reset();
  gave_content_ = false;
  equal_open_ = false;
  pushed_ = std::make_unique<recovery_set>();
}

void database::recovery_begin(db_control& m) {
  const auto& t = m.request<control::db_recovery_begin>();
  if (!transition(freeze_event::begin{t.tid, gen_}, m.answer)) return;
  open_transaction();
  equal_open_ = true;
  const bool knows_filled =
      std::get<req_control>(m.packet->content.body).flags & begin_knows_filled;
  if (fill_ && fill_->full && knows_filled && freeze_.records_invalid) {
    fill_->told_in = t.tid;
    return m.answer.good(
        wire::encode(db_copy_state{.changes = static_cast<std::uint32_t>(change_state::filled),
                                   .keys = fill_->changed.size(),
                                   .records = store_->count().value_or(0),
                                   .earlier = {fill_->base}}));
  }
  if (config_.kind == db_kind::volatile_db) return m.answer.good(wire::encode(copy_state()));
  sum_content([this, tid = t.tid, answer = m.answer](const db_digest* sum, const std::string&) {
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
  // what a full disk keeps in the record table is among no changes: a whole pull finds it
  if (table_has_records()) return s;
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

void database::cancel(db_control& m) {
  if (!transition(freeze_event::cancel{}, m.answer)) return;
  pushed_.reset();
  pull_.reset();
  m.answer.good();
}

/// Nothing is removed yet: the commit replaces the content in one piece, or, if it never comes, nothing was lost.
void database::wipe(db_control& m) {
  const auto& t = m.request<control::wipe_database>();
  if (!transition(freeze_event::wipe{t.tid}, m.answer)) return;
  pushed_ = std::make_unique<recovery_set>();
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
  if (own_freeze_ != own_freeze::none)
    return m.answer.fail("this node was cut off, and waits for a recovery");
  freeze_step s;
  if (!transition(freeze_event::thaw{.inactive = inactive()}, m.answer, &s)) return;
  pushed_.reset();
  pull_.reset();
  m.answer.good();
  if (!s.resume) return;
  serve_deferred();
  end_call_backs();
  resend_pending();
  serve_until_thaw();
}

// --- pull ------------------------------------------------------------------------------------------------------

void database::pull(db_control& m) {
  const auto& p = m.request<control::db_pull>();
  freeze_step s;
  if (!transition(freeze_event::pull{}, m.answer, &s)) return;
  if (s.nothing_to_pull) return m.answer.good(wire::encode(std::uint32_t{0}));
  // a full disk keeps nothing from being given away: what could not be committed is read from the open group
  if (auto done = store_->flush(); !done) storage_failed("commit", done.error());
  gave_content_ = true;
  start_pull(m.answer, m.from, p.srvid, std::nullopt);
}

void database::start_pull(const replier& answer, pnn to, floe::srvid where,
                          std::optional<key_set> keys) {
  pull_.reset();
  pull_.emplace();
  pull_->id = ++last_pull_;
  pull_->to = to;
  pull_->srvid = where;
  pull_->answer = answer;
  pull_->keys = std::move(keys);
  if (pull_->keys)
    pull_->order = pull_->keys->sorted();
  else
    pull_->left_in_table = left_in_table();
  send_pull_buffers();
}

/// Whether the database is in this transaction of a recovery of floe's nodes; says why if it is not.
bool database::in_recovery(generation tid, const replier& answer) const {
  if (freeze_.state == freeze_state::in_transaction && freeze_.tid == tid && equal_open_)
    return true;
  answer.fail("no such recovery is going on here");
  return false;
}

namespace {

/// As if to have copies were no change of a record. Of a mutant.
template <class Out, class Here>
key_set without(const key_set& all, const Out& out, const Here& here) {
  key_set rest;
  all.each([&](byte_view key) {
    const bytes k(key);
    if (!out.contains(k) && !here.contains(k)) rest.insert(key);
  });
  return rest;
}

}  // namespace

void database::send_changes(db_control& m) {
  const auto& p = m.request<control::db_changes>();
  if (!in_recovery(p.tid, m.answer)) return;
  if (commits_what_was_filled() && p.since == fill_->base)
    return start_pull(m.answer, m.from, p.srvid, fill_->changed);
  auto keys = store_->changes().since(p.since);
  if (!keys) return m.answer.fail("the changes since that generation are not known");
  if (mutated(mutant::copies_outlive_recoveries)) keys = without(*keys, copies_out_, copies_here_);
  start_pull(m.answer, m.from, p.srvid, std::move(keys));
}

void database::send_copies(db_control& m) {
  const auto& p = m.request<control::db_copies>();
  if (!in_recovery(p.tid, m.answer)) return;
  const auto asked = wire::decode<rec_buffer>(p.keys);
  if (!asked) return m.answer.fail("bad keys: " + asked.error().text());
  key_set keys;
  for (const rec_data& r : *asked) keys.insert(r.key);
  start_pull(m.answer, m.from, p.srvid, std::move(keys));
}

void database::on(db_continue_pull& m) {
  if (!pull_ || pull_->id != m.pull) return;
  --pull_->in_flight;
  send_pull_buffers();
}

/// The answer follows only when every buffer has left, so that it cannot overtake one.
void database::send_pull_buffers() {
  auto& p = *pull_;
  while (!p.exhausted && p.in_flight < pull_window) {
    rec_buffer_builder buffer(config_.id, config_.push_buffer_size);
    const auto read = p.keys ? next_of_keys(p, buffer) : next_records(p, buffer);
    if (!read) {
      storage_failed("scan", read.error());
      p.answer.fail("cannot read: " + read.error().text);
      pull_.reset();
      return;
    }
    if (buffer.empty()) break;
    p.count += buffer.count();
    ++p.in_flight;
    node_.tell(post_message{p.to, p.srvid, std::make_shared<const bytes>(buffer.take()),
                            [to = self(), id = p.id] { to.tell(db_continue_pull{id}); }});
  }
  if (p.exhausted && p.in_flight == 0) {
    tell_if_large(p);
    p.answer.good(wire::encode(p.count));
    pull_.reset();
  }
}

/// DBRecordCountWarn, DBSizeWarn, DBRecordSizeWarn: whatever part of the database was collected.
void database::tell_if_large(const pull_state& p) const {
  const auto now = store_->stats();
  if (!now) return;  // whoever reads says so
  const auto& limit = settings_.large;
  const auto tell = [&](const char* why) {
    env_.log.tell(event::database_large{
        .db = config_.name, .records = now->records, .bytes = now->bytes_used(), .why = why});
  };
  if (limit.records != 0 && now->records > limit.records)
    tell("more records than DBRecordCountWarn");
  if (limit.bytes != 0 && now->bytes_used() > limit.bytes) tell("more bytes than DBSizeWarn");
  if (limit.record_bytes != 0 && p.largest > limit.record_bytes)
    tell("a record larger than DBRecordSizeWarn");
}

/// The store's records and those that are left in the record table as one ascending stream.
std::expected<void, store_error> database::next_records(pull_state& p, rec_buffer_builder& buffer) {
  const auto add = [&](const record_view& r) {
    if (!buffer.empty() && buffer.size_with(r.key.size(), r.data.size()) > config_.push_buffer_size)
      return false;
    buffer.add(r.key, r.header, r.data);
    p.largest = std::max(p.largest, r.data.size());
    return true;
  };
  const auto left = [&] { return p.next_left < p.left_in_table.size(); };
  const auto add_left = [&] { return add(p.left_in_table[p.next_left]) && ++p.next_left; };
  if (!p.position.at_end()) {
    auto next = store_->scan(p.position, [&](const record_view& r) {
      if (r.data.empty() && mutated(mutant::deletions_not_pulled)) return true;
      const ordered_key here(r.key);
      while (left() && ordered_key(p.left_in_table[p.next_left].key) < here)
        if (!add_left()) return false;
      if (left() && p.left_in_table[p.next_left].key == r.key) return add_left();
      return add(r);
    });
    if (!next) return std::unexpected(std::move(next.error()));
    p.position = *next;
  }
  if (!p.position.at_end()) return {};
  while (left())
    if (!add_left()) return {};
  p.exhausted = true;
  return {};
}

/// A key without a record is sent without a header. Beside each key: when it has changed here (change_history::age_of).
std::expected<void, store_error> database::next_of_keys(pull_state& p, rec_buffer_builder& buffer) {
  for (; p.next < p.order.size() && (buffer.empty() || buffer.size() < config_.push_buffer_size);
       ++p.next) {
    const byte_view key = p.order[p.next];
    const std::uint32_t changed = store_->changes().age_of(key);
    auto found = store_->visit(key, [&](const record_view& r) {
      if (r.data.empty() && mutated(mutant::deletions_not_pulled))
        buffer.add_plain(key, {}, changed);
      else
        buffer.add(key, r.header, r.data, changed);
    });
    if (!found) return std::unexpected(std::move(found.error()));
    if (!*found) buffer.add_plain(key, {}, changed);
  }
  p.exhausted = p.next == p.order.size();
  return {};
}

// --- push ------------------------------------------------------------------------------------------------------

void database::push_start(db_control& m) {
  const auto& p = m.request<control::db_push_start>();
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
    if (equal_open_) {  // the same on all nodes
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

// --- commit ------------------------------------------------------------------------------------------------------

void database::commit(db_control& m) {
  const auto& t = m.request<control::db_transaction_commit>();
  // what the rules say is done only once the records are in place: until then the transaction is open
  const bool filled = commits_what_was_filled();
  const auto planned = step(freeze_, freeze_event::commit{t.tid, inactive(), filled});
  if (planned.refused != freeze_refusal::none)
    return m.answer.fail(refusal_text(freeze_, planned.refused));
  if (!pushed_) return m.answer.fail("a commit of this transaction has failed: it has no records");
  // the store changes hands only without an open group
  if (auto done = store_->flush(); !done) {
    leave_without_room(*pushed_, done.error());
    return m.answer.fail("cannot commit what was stored before: " + done.error().text);
  }
  auto set = std::shared_ptr<recovery_set>(std::move(pushed_));
  auto result = std::make_shared<std::expected<replace_result, store_error>>();
  auto after = freeze_.wiped ? damage_after_commit() : damage_;
  // what is replaced as a whole has no copies
  auto copies = freeze_.wiped ? std::vector<bytes>() : keys_with_copies();
  const auto size = set->size() + copies.size();
  auto work = [store = store_, set, result, tid = t.tid, equal = equal_open_, wiped = freeze_.wiped,
               now = damage_, after, copies = std::move(copies)] {
    // an earlier try has committed that generation here, and its content did not stay: the name means two contents
    auto& changes = store->changes();
    const bool ambiguous =
        changes.base() == tid && (wiped || set->size() > 0 || changes.keys() > 0);
    // content and health change together
    const change health[] = {change::set_meta(damage_name, after)};
    const auto meta = std::span(health).first(now == after ? 0 : 1);
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
    if (!equal || ambiguous)
      changes.forget();
    else if (wiped)
      changes.begin(tid);
    else
      changes.step(tid);
  };
  auto finish = [this, tid = t.tid, set, answer = m.answer, result, after, filled,
                 wiped = freeze_.wiped] {
    const freeze_event::commit event{tid, inactive(), filled};
    if (!*result) {
      leave_without_room(*set, result->error());
      return answer.fail("cannot store the recovered records: " + result->error().text);
    }
    found_room();
    if (damage_ != after) {
      damage_ = after;
      node_.tell(database_health{config_.id, damage_});
    }
    freeze_step s;
    if (!transition(event, answer, &s)) return;
    if (wiped && !mutated(mutant::wipe_keeps_what_waits)) drop_what_waits();
    if (wiped) drop_table_content();
    fill_.reset();
    finish_commit(s, answer);
  };
  if (size <= small_commit) {
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
  // a tool that stores under the same generation leaves the other records as they are
  equal_ = equal_open_ || (equal_ && before == gen_);
  note(event::generation{.from = before, .to = gen_});
  changed(true);
  drop_stale_waiters(before);
  answer.good();
  // an operator who replaces content does not know who has gone on
  if (gen_ != before) own_freeze_ = step(own_freeze_, own_freeze_event::committed);
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
  m.answer.good(wire::encode(sequence_number()));
}

std::uint64_t database::sequence_number() const {
  std::uint64_t n = 0;
  if (auto found = store_->get(sequence_number_key);
      found && *found && (*found)->data.size() == sizeof n)
    std::memcpy(&n, (*found)->data.data(), sizeof n);
  return n;
}

}  // namespace floe
