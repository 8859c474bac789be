/// Vacuuming: deleted records are forgotten, on all nodes, while everybody works. When and in which order is in
/// protocol/rules/vacuum.hpp; here it is carried out in slices.
#include <malloc.h>

#include <map>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/database.hpp"

namespace floe {
namespace {

/// Whichever comes first; in simulations turns take no time.
constexpr std::size_t keys_of_slice = 64, looked_at_in_slice = 500;
constexpr std::size_t keys_of_offer = 200;
constexpr std::size_t bytes_of_offer = 4 << 20;  ///< of keys, which may be large

/// One request for the agreement of the others takes no more.
bool is_full(const std::vector<offered_deletion>& offer) {
  std::size_t size = 0;
  for (const auto& o : offer) size += o.what.key.size();
  return offer.size() >= keys_of_offer || size >= bytes_of_offer;
}
constexpr std::size_t fetched_at_once = 64;
constexpr auto time_of_slice = std::chrono::microseconds(300);
constexpr auto between_slices = std::chrono::milliseconds(1);
constexpr auto before_homecomers = std::chrono::milliseconds(100);  ///< they come in crowds
/// Content that is written anew in some two milliseconds.
constexpr std::uint64_t small_content_pages = 512;

}  // namespace

// --- what is to be done ------------------------------------------------------------------------------------------

/// Every store of a record of this node comes by here.
void database::note_stored(byte_view key, const record_header& header, bool empty) {
  if (config_.kind != db_kind::volatile_db) return;
  if (empty && header.dmaster == env_.self) {
    vacuum_.deleted.add(key, env_.loop.now());
  } else {
    vacuum_.deleted.remove(key);
    vacuum_.home.remove(key);
  }
}

bool database::forget(byte_view key) {
  show_no_more(key);
  if (auto done = store_->erase(key); !done) {
    storage_failed("erase", done.error());
    return false;
  }
  count_change();
  witness(&database_witness::dropped, key);
  ++vacuum_.since_compaction;
  vacuum_.deleted.remove(key);
  vacuum_.home.remove(key);
  note_copy(key, {});
  plan_flush();
  return true;
}

/// SCHEDULE_FOR_DELETION: a client that writes the file itself has deleted a record.
void database::schedule_for_deletion(db_control& m) {
  const auto& about = m.request<control::schedule_for_deletion>();
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail("only volatile databases are vacuumed");
  vacuum_.deleted.add(about.key, env_.loop.now());
  m.answer.good();
}

/// VACUUM_FETCH: deleted records of another node, whose lmaster is this one, are to be brought here.
void database::vacuum_fetch(db_control& m) {
  const auto& keys = m.request<control::vacuum_fetch>();
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail("only volatile databases are vacuumed");
  for (const rec_data& r : keys)
    if (lmaster(r.key) == env_.self && vacuum_.fetch_keys.insert(bytes(r.key)).second)
      vacuum_.to_fetch.emplace_back(r.key);
  m.answer.good();
  vacuum_soon();
}

/// A deleted record has come here that no client of this node has asked for.
void database::came_home(byte_view key) {
  vacuum_.deleted.remove(key);
  vacuum_.home.add(key, env_.loop.now());
  vacuum_soon();
}

void database::fetched(const bytes& key) {
  vacuum_.fetch_keys.erase(key);
  const auto here = deleted_here(key);
  if (here && here->empty) came_home(key);
}

std::optional<deleted_record> database::deleted_here(byte_view key) {
  std::optional<deleted_record> found;
  auto seen = store_->visit(key, [&](const record_view& r) { found = {r.header, r.data.empty()}; });
  if (!seen) storage_failed("read", seen.error());
  return found;
}

// --- runs ----------------------------------------------------------------------------------------------------------

bool database::may_vacuum() const {
  return config_.kind == db_kind::volatile_db && store_use_ == store_use::here && thawed() &&
         !inactive() && map_applies(gen_, view_->gen) && view_->mode == recovery_mode::normal;
}

void database::on(db_settings& m) {
  const bool other_interval = m.vacuum.interval != vacuum_.settings.interval;
  vacuum_.settings = m.vacuum;
  settings_ = m;
  auto stay = m.stay;
  stay.sticky = stays_.settings().sticky;
  stays_.set(stay);
  if (other_interval || vacuum_.clock == 0) wind_vacuum_clock();
}

void database::wind_vacuum_clock() {
  ++vacuum_.clock;
  if (config_.kind != db_kind::volatile_db || vacuum_.settings.interval == duration{0}) return;
  env_.loop.after(vacuum_.settings.interval,
                  [to = self(), n = vacuum_.clock] { to.tell(db_vacuum_time{n}); });
}

void database::on(db_vacuum_time& m) {
  if (m.clock != vacuum_.clock) return;
  wind_vacuum_clock();
  if (vacuum_.running || !may_vacuum()) return;
  const bool full =
      vacuum_.full_due || (vacuum_.settings.fast_path_count != 0 &&
                           ++vacuum_.runs_since_full > vacuum_.settings.fast_path_count);
  if (full || !vacuum_.deleted.empty() || !vacuum_.home.empty() || !vacuum_.to_fetch.empty())
    return begin_vacuum(full, vacuum_.deleted.size());
  compact_if_due();
}

/// DB_VACUUM: answered when the run has ended.
void database::vacuum_on_request(db_control& m) {
  const auto& r = m.request<control::db_vacuum>();
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail("only volatile databases are vacuumed");
  if (!may_vacuum()) return m.answer.fail("not now: a recovery is going on");
  if (vacuum_.running) return m.answer.fail("a vacuum run is going on");
  vacuum_.waiting.push_back(m.answer);
  begin_vacuum(r.full_vacuum_run, vacuum_.deleted.size());
}

/// Homecomers do not wait for the next interval: it has passed for them already.
void database::vacuum_soon() {
  if (vacuum_.running || vacuum_soon_) return;
  vacuum_soon_ = true;
  env_.loop.after(before_homecomers, [to = self()] { to.tell(db_vacuum_slice{0}); });
}

/// `left`: so many of what was deleted here.
void database::begin_vacuum(bool full, std::size_t left) {
  vacuum_.running = true;
  ++vacuum_.run;
  vacuum_.since = env_.loop.now();
  vacuum_.left = left;
  vacuum_.forgotten_in_run = 0;
  if (full) {
    vacuum_.look_at.emplace();
    vacuum_.full_due = false;
    vacuum_.runs_since_full = 0;
  }
  vacuum_slice();
}

void database::on(db_vacuum_slice& m) {
  if (m.run == 0) {  // homecomers
    vacuum_soon_ = false;
    if (!vacuum_.running && may_vacuum()) begin_vacuum(false, 0);
    return;
  }
  if (vacuum_.running && m.run == vacuum_.run) vacuum_slice();
}

/// So much is done in one turn, between which everybody else is served.
time_point database::end_of_slice() const { return env_.loop.now() + time_of_slice; }

void database::next_slice() {
  env_.loop.after(between_slices, [to = self(), n = vacuum_.run] { to.tell(db_vacuum_slice{n}); });
}

void database::vacuum_slice() {
  auto& v = vacuum_;
  if (!may_vacuum() || env_.loop.now() - v.since > v.settings.max_run_time) return end_vacuum();
  if (v.look_at) {
    look_for_deleted();
    return next_slice();
  }
  if (!agreed_.empty()) {
    drop_some();
    return next_slice();
  }
  fetch_some();
  const auto end = end_of_slice();
  std::map<pnn, rec_buffer_builder> to_ctdbd;
  std::size_t key_bytes = 0;
  for (std::size_t n = 0; n < keys_of_slice && key_bytes < bytes_of_offer && !is_full(v.to_offer);
       ++n) {
    auto e = v.left > 0 ? v.deleted.take() : v.home.take();
    if (v.left > 0) --v.left;
    if (e) key_bytes += e->key.size();
    if (e) vacuum_one(std::move(*e), to_ctdbd);
    if ((!e && v.left == 0) || env_.loop.now() > end) break;
  }
  for (auto& [lmaster, keys] : to_ctdbd)
    node_.tell(call_control{.to = lmaster,
                            .opcode = control::vacuum_fetch,
                            .data = keys.take(),
                            .patience = config_.update_patience});
  const bool all_taken = v.left == 0 && v.home.empty();
  if (!v.offered.running() && (is_full(v.to_offer) || (all_taken && !v.to_offer.empty())))
    return offer();
  if (v.offered.running()) return;  // its end goes on
  if (all_taken && v.to_offer.empty() && v.to_fetch.empty()) return end_vacuum();
  next_slice();
}

/// A full run: finds what is in no queue, because it was deleted before a recovery or a restart of the queue's owner.
void database::look_for_deleted() {
  auto& v = vacuum_;
  std::size_t seen = 0;
  const auto now = env_.loop.now();
  auto next = store_->scan(*v.look_at, [&](const record_view& r) {
    // one is always taken
    if (seen == looked_at_in_slice || (seen > 0 && env_.loop.now() - now > time_of_slice))
      return false;
    ++seen;
    if (r.data.empty() && r.header.dmaster == env_.self) v.deleted.add(r.key, now);
    return true;
  });
  if (!next) storage_failed("scan", next.error());
  if (next && !next->at_end()) {
    *v.look_at = *next;
    return;
  }
  v.look_at.reset();
  v.left = v.deleted.size();
}

void database::fetch_some() {
  auto& v = vacuum_;
  while (!v.to_fetch.empty() && v.fetch_keys.size() - v.to_fetch.size() < fetched_at_once) {
    const bytes key = std::move(v.to_fetch.front());
    v.to_fetch.pop_front();
    if (locks_.find(key) || in_table(key)) {  // clients want it: it will come, and be deleted anew
      v.fetch_keys.erase(key);
      continue;
    }
    enqueue(key, {.use = record_use::vacuum, .from = env_.self});
  }
}

void database::vacuum_one(deletion_queue::entry e, std::map<pnn, rec_buffer_builder>& to_ctdbd) {
  const auto here = deleted_here(e.key);
  if (here && here->empty && copies_are_out(env_.self, here->header)) {
    call_copies_back(e.key);  // of what is not there: the next run finds none
    return vacuum_.again.push_back(std::move(e));
  }
  switch (decide_vacuum(env_.self, lmaster(e.key), here,
                        locks_.find(e.key) != nullptr || in_table(e.key))) {
    case vacuum_step::forget: return;
    case vacuum_step::later: return vacuum_.again.push_back(std::move(e));
    case vacuum_step::ask_all:
      return vacuum_.to_offer.push_back({.what = std::move(e), .header = here->header});
    case vacuum_step::send_home: break;
  }
  const pnn home = lmaster(e.key);
  if (!reachable(home)) return vacuum_.again.push_back(std::move(e));
  ++vacuum_.sent_home;
  if (view_->find(home)->floe) return give_home(e.key, home);
  // a ctdbd takes nothing that it has not asked for without a word in its log
  to_ctdbd.try_emplace(home, config_.id).first->second.add_plain(e.key, {}, number(env_.self));
}

/// As if its lmaster had asked for it.
void database::give_home(const bytes& key, pnn home) {
  const auto header = own_header(key);
  const record_header kept = giveaway_header(header, false, home);
  if (!store_as_daemon(key, kept, {})) return;
  send_packet(home, reqid{0}, env_.self,
              req_dmaster{.db = config_.id,
                          .rsn = kept.rsn,
                          .dmaster = home,
                          .key = key,
                          .data = {},
                          .record_flags = kept.flags});
}

/// Complete, or cut short by a freeze, a member that is away, or its limit: what is not done is done in a later run.
void database::end_vacuum() {
  auto& v = vacuum_;
  v.running = false;
  if (v.offered.running())
    for (auto& r : v.offered.end()) v.again.push_back(std::move(r.what.what));
  for (auto& o : std::exchange(v.to_offer, {})) v.again.push_back(std::move(o.what));
  for (auto& o : std::exchange(agreed_, {})) v.again.push_back(std::move(o.what));
  for (auto& e : std::exchange(v.again, {})) v.deleted.add(e.key, e.since, e.refusals);
  if (v.look_at) v.full_due = true;
  v.look_at.reset();
  v.left = 0;
  ++v.runs;
  v.last_run_forgotten = v.forgotten_in_run;
  v.last_run_seconds = std::chrono::duration<double>(env_.loop.now() - v.since).count();
  v.run_latency.add(v.last_run_seconds);
  if (v.forgotten_in_run > 0)
    env_.log.tell(event::vacuumed{.db = config_.name,
                                  .forgotten = v.forgotten_in_run,
                                  .ms = static_cast<std::int64_t>(v.last_run_seconds * 1000),
                                  .left = v.deleted.size()});
  for (auto& w : std::exchange(v.waiting, {})) w.good();
  if (may_vacuum()) compact_if_due();
}

/// The pages of forgotten records go back to the system when so little is left that writing it anew is no pause.
void database::compact_if_due() {
  auto& v = vacuum_;
  if (v.settings.repack_limit == 0 || v.since_compaction < v.settings.repack_limit) return;
  if (auto done = store_->flush(); !done) return storage_failed("commit", done.error());
  const auto now = store_->stats();
  if (!now) return storage_failed("look at", now.error());
  if (!now->compaction_due() || now->file_pages - now->free_pages > small_content_pages) return;
  v.since_compaction = 0;
  if (auto done = store_->compact(); !done) return storage_failed("compact", done.error());
  ++v.compactions;
  // what the deleted records were kept in, and the lists of their keys, goes back, too
  if (!env_.loop.is_simulated()) env_.loop.offload([] { ::malloc_trim(1 << 20); }, [] {});
}

}  // namespace floe
