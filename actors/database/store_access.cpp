/// The store of a database, with its errors dealt with; and the times when another thread has it.
#include <cassert>
#include <utility>

#include "actors/database/database.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"

namespace floe {

void database::give_store_away(store_use to) {
  assert(store_use_ == store_use::here && to != store_use::here);
  assert(!store_->dirty() && "a store changes hands without an open group");
  if (config_.kind != db_kind::volatile_db) table_.drop_content();
  store_use_ = to;
}

void database::on(db_work_done& m) {
  assert(store_use_ != store_use::here);
  store_use_ = store_use::here;
  m.finish();
  if (store_ && store_->dirty()) groups_.plan();
  // became inactive while the store was elsewhere: the freeze that goes with it was refused then
  if (store_ && inactive() && gen_ != generation::invalid) become_inactive();
  if (store_ && leaving() && thawed()) leave();
  store_back();
}

/// What came meanwhile goes on, in its order.
void database::store_back() {
  while (store_use_ == store_use::here && store_ && !held_back_.empty()) {
    auto next = std::move(held_back_.front());
    held_back_.pop_front();
    receive(next);
  }
  if (store_use_ != store_use::here || !store_) return;
  if (!locks_.empty()) in_slices(locks_.keys(), [this](const bytes& key) { advance(key); });
}

bool database::in_use() const {
  return thawed() && port_.is_of_map() && store_use_ == store_use::here;
}

record database::local(byte_view key, bool* found) {
  auto r = store_->get(key);
  if (found) *found = r && *r;
  if (!r) {
    storage_.failed("read", r.error());
    if (r.error().code == store_errc::corrupt)
      node_.tell(want_recovery{config_.name + " is damaged: " + r.error().text});
    auto unread = missing_record_header(lmaster(key));
    unread.dmaster = pnn::unknown;  // nobody gets what cannot be read, or takes it for empty
    return {bytes(key), unread, {}};
  }
  if (*r) {
    if (const auto whose = owner(key, (*r)->header); whose != (*r)->header.dmaster)
      take_over(**r, whose);
    return std::move(**r);
  }
  return {bytes(key), missing_record_header(lmaster(key)), {}};
}

/// Of a record that a recovery left its owner, and whose owner is not in the map any more, the lmaster.
pnn database::owner(byte_view key, const record_header& h) const {
  if (config_.kind != db_kind::volatile_db || !equal_ || !thawed() || !port_.is_of_map())
    return h.dmaster;
  if (h.dmaster != env_.self && mutated(mutant::owner_taken_for_lost)) return lmaster(key);
  return owner_of(key, h.dmaster, view_->map, view_->members);
}

/// The record belongs to `whose` by rule. Its lmaster writes itself into it before anybody gets it, so that it is among
/// the changes.
void database::take_over(record& r, pnn whose) {
  r.header.dmaster = whose;
  if (whose != env_.self) return;
  r.header.rsn = next(r.header.rsn);
  if (!put(r.key, r.header, r.data))
    r.header.dmaster = pnn::unknown;  // nobody gets what is not written
}

std::optional<record_header> database::header_of(byte_view key) {
  auto& last = last_header_;
  if (!last.known || last.writes != store_->writes() || last.key != key) {
    last.header.reset();
    const auto seen = store_->visit(key, [&](const record_view& r) { last.header = r.header; });
    if (!seen) storage_.failed("read", seen.error());
    last.known = seen.has_value() && key.size() <= 1024;  // a long key is not kept for this
    last.writes = store_->writes();
    last.key = last.known ? bytes(key) : bytes();
  }
  const auto header = last.header;
  if (header && owner(key, *header) != header->dmaster) return local(key).header;
  return header;
}

record_header database::own_header(byte_view key) {
  return header_of(key).value_or(missing_record_header(lmaster(key)));
}

bool database::put(byte_view key, const record_header& header, byte_view data) {
  table_.show_no_more(key);
  auto done = store_->put(key, header, data);
  if (!done) {
    storage_.failed("store", done.error());
    return false;
  }
  storage_.works();
  meter_.stored(key.size() + data.size());
  count_change();
  vacuum_.stored(key, header, data.empty());
  if (config_.kind == db_kind::volatile_db) witness(&database_witness::kept, key, header);
  copies_.note(key, header);
  groups_.plan();
  return true;
}

bool database::forget(byte_view key) {
  table_.show_no_more(key);
  if (auto done = store_->erase(key); !done) {
    storage_.failed("erase", done.error());
    return false;
  }
  count_change();
  witness(&database_witness::dropped, key);
  vacuum_.erased(key);
  copies_.note(key, {});
  groups_.plan();
  return true;
}

void database::took_from_table(const record_view& r) {
  storage_.works();
  meter_.stored(r.key.size() + r.data.size());
  changes_.count();
  vacuum_.stored(r.key, r.header, r.data.empty());
  groups_.plan();
}

bool database::store_as_daemon(byte_view key, const record_header& header, byte_view data) {
  const auto d = decide_store(config_.kind, env_.self, lmaster(key), header, !data.empty());
  return d.keep ? put(key, d.header, data) : forget(key);
}

/// A record has arrived and there is no room for it. Who sent it has given it up, so it is kept until there is; should a
/// recovery come first, that finds the sender's copy.
void database::store_later(pnn from, const parcel_ptr& p) {
  deferred_.push_back({from, p});
  if (std::exchange(no_room_, true)) return;
  env_.loop.after(std::chrono::milliseconds(500), [this, to = self()] {
    to.tell(db_next_slice{[this] {  // which runs only while this lives
      no_room_ = false;             // or it turns out at once that there still is none
      if (thawed()) serve_deferred();
    }});
  });
}

/// Who waits for a record that has arrived and cannot be stored is told, instead of waiting for room.
void database::refuse_waiters(const bytes& key) {
  auto* e = locks_.find(key);
  if (!e) return;
  std::vector<lock_waiter> local;
  for (auto& w : e->waiters)
    if (w.use != record_use::peer_call) local.push_back(std::move(w));
  std::erase_if(e->waiters, [](const lock_waiter& w) { return w.use != record_use::peer_call; });
  for (auto& w : local) {
    locks_.forget_number(w);
    env_.loop.cancel(w.deadline);
    if (w.use == record_use::call)
      end_call(w.client, w.packet->content.header, -1);
    else if (w.use == record_use::vacuum)
      vacuum_.fetched(key);  // whoever wants it forgotten asks again
    else
      refuse_for_room(w.answer);
  }
  locks_.tidy(key);
}

void database::refuse_for_room(const replier& answer) const {
  answer.status(
      record_status_storage,
      "this node cannot store records: " +
          (storage_.what().empty() ? std::string("its disk has no room") : storage_.what()));
}

/// While there is no room, a record that is not here is not asked for.
bool database::cannot_take(byte_view key) {
  if (!no_room_ || config_.kind != db_kind::volatile_db || store_use_ != store_use::here)
    return false;
  const auto here = header_of(key);
  return !here || here->dmaster != env_.self;
}

}  // namespace floe
