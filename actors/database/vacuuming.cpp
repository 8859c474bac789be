#include "actors/database/vacuuming.hpp"

#include <malloc.h>

#include <utility>

#include "actors/database/storage_trouble.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/database.hpp"

namespace floe {
namespace {

/// Of a slice, whichever comes first; in simulations a turn takes no time.
constexpr auto time_of_slice = std::chrono::microseconds(300);
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
constexpr auto between_slices = std::chrono::milliseconds(1);
constexpr auto before_homecomers = std::chrono::milliseconds(100);  ///< they come in crowds
/// Content that is written anew in some two milliseconds, where a page that is touched for the first time is not dear.
constexpr std::uint64_t small_content_pages = 256;

}  // namespace

// --- what is to be done ------------------------------------------------------------------------------------------

void vacuuming::stored(byte_view key, const record_header& header, bool empty) {
  if (!of_volatile()) return;
  if (empty && header.dmaster == port_.env.self) {
    add(work_.deleted, key, port_.env.loop.now());
  } else {
    work_.deleted.remove(key);
    work_.home.remove(key);
  }
}

bool vacuuming::add(deletion_queue& to, byte_view key, time_point since, unsigned refusals) {
  if (work_.queue_bytes() + key.size() > deletion_queue_bytes_max) {
    ++work_.left_out;
    work_.full_due = true;
    return false;
  }
  to.add(key, since, refusals);
  return true;
}

void vacuuming::erased(byte_view key) {
  ++work_.since_compaction;
  work_.deleted.remove(key);
  work_.home.remove(key);
}

void vacuuming::recovered() {
  work_.full_due = true;
  if (work_.running) end();
}

/// SCHEDULE_FOR_DELETION: a client that writes the file itself has deleted a record.
void vacuuming::schedule_for_deletion(db_control& m) {
  const auto& about = m.request<control::schedule_for_deletion>();
  if (!of_volatile()) return m.answer.fail("only volatile databases are vacuumed");
  add(work_.deleted, about.key, port_.env.loop.now());
  m.answer.good();
}

/// VACUUM_FETCH: deleted records of another node, whose lmaster is this one, are to be brought here.
void vacuuming::fetch(db_control& m) {
  const auto& keys = m.request<control::vacuum_fetch>();
  if (!of_volatile()) return m.answer.fail("only volatile databases are vacuumed");
  for (const rec_data& r : keys) {
    if (work_.queue_bytes() + 2 * r.key.size() > deletion_queue_bytes_max)
      break;  // who wants them forgotten asks again
    if (records_.lmaster(r.key) != port_.env.self || !work_.fetch_keys.insert(bytes(r.key)).second)
      continue;
    work_.to_fetch.emplace_back(r.key);
    work_.to_fetch_bytes += r.key.size();
  }
  m.answer.good();
  soon();
}

void vacuuming::came_home(byte_view key) {
  work_.deleted.remove(key);
  add(work_.home, key, port_.env.loop.now());
  soon();
}

void vacuuming::fetched(const bytes& key) {
  work_.fetch_keys.erase(key);
  const auto here = deleted_here(key);
  if (here && here->empty) came_home(key);
}

std::optional<deleted_record> vacuuming::deleted_here(byte_view key) {
  std::optional<deleted_record> found;
  auto seen = port_.store->visit(key, [&](const record_view& r) {
    found = {r.header, r.data.empty()};
  });
  if (!seen) port_.trouble.failed("read", seen.error());
  return found;
}

// --- runs ----------------------------------------------------------------------------------------------------------

bool vacuuming::may_run() const {
  return of_volatile() && records_.in_use() && !port_.inactive() &&
         port_.view->mode == recovery_mode::normal;
}

void vacuuming::set(const vacuum_settings& s) {
  const bool other_interval = s.interval != work_.settings.interval;
  work_.settings = s;
  if (other_interval || work_.clock == 0) wind_clock();
}

void vacuuming::wind_clock() {
  ++work_.clock;
  if (!of_volatile() || work_.settings.interval == duration{0}) return;
  port_.env.loop.after(work_.settings.interval,
                       [to = port_.self, n = work_.clock] { to.tell(db_vacuum_time{n}); });
}

void vacuuming::on(const db_vacuum_time& m) {
  if (m.clock != work_.clock) return;
  wind_clock();
  if (work_.running || !may_run()) return;
  const bool full = work_.full_due || (work_.settings.fast_path_count != 0 &&
                                       ++work_.runs_since_full > work_.settings.fast_path_count);
  if (full || !work_.deleted.empty() || !work_.home.empty() || !work_.to_fetch.empty())
    return begin(full, work_.deleted.size());
  compact_if_due();
}

/// DB_VACUUM: answered when the run has ended.
void vacuuming::run_on_request(db_control& m) {
  const auto& r = m.request<control::db_vacuum>();
  if (!of_volatile()) return m.answer.fail("only volatile databases are vacuumed");
  if (!may_run()) return m.answer.fail("not now: a recovery is going on");
  if (work_.running) return m.answer.fail("a vacuum run is going on");
  work_.waiting.push_back(m.answer);
  begin(r.full_vacuum_run, work_.deleted.size());
}

/// Homecomers do not wait for the next interval: it has passed for them already.
void vacuuming::soon() {
  if (work_.running || work_.soon) return;
  work_.soon = true;
  port_.env.loop.after(before_homecomers, [to = port_.self] { to.tell(db_vacuum_slice{0}); });
}

/// `left`: so many of what was deleted here.
void vacuuming::begin(bool full, std::size_t left) {
  work_.running = true;
  ++work_.run;
  work_.since = port_.env.loop.now();
  work_.left = left;
  work_.forgotten_in_run = 0;
  if (full) {
    work_.look_at = std::exchange(work_.full_from, {});
    work_.full_due = false;
    work_.runs_since_full = 0;
  }
  slice();
}

void vacuuming::on(const db_vacuum_slice& m) {
  if (m.run == 0) {  // homecomers
    work_.soon = false;
    if (!work_.running && may_run()) begin(false, 0);
    return;
  }
  if (work_.running && m.run == work_.run) slice();
}

time_point vacuuming::end_of_slice() const { return port_.env.loop.now() + time_of_slice; }

void vacuuming::slice_later() {
  port_.env.loop.after(between_slices,
                       [to = port_.self, n = work_.run] { to.tell(db_vacuum_slice{n}); });
}

void vacuuming::slice() {
  auto& v = work_;
  if (!may_run() || port_.env.loop.now() - v.since > v.settings.max_run_time) return end();
  if (v.look_at) {
    look_for_deleted();
    return slice_later();
  }
  if (!agreed_.empty()) {
    drop_some();
    return slice_later();
  }
  fetch_some();
  const auto slice_ends = end_of_slice();
  std::map<pnn, rec_buffer_builder> to_ctdbd;
  std::size_t key_bytes = 0;
  for (std::size_t n = 0; n < keys_of_slice && key_bytes < bytes_of_offer && !is_full(v.to_offer);
       ++n) {
    auto e = v.left > 0 ? v.deleted.take() : v.home.take();
    if (v.left > 0) --v.left;
    if (e) key_bytes += e->key.size();
    if (e) one(std::move(*e), to_ctdbd);
    if ((!e && v.left == 0) || port_.env.loop.now() > slice_ends) break;
  }
  for (auto& [lmaster, keys] : to_ctdbd)
    port_.node.tell(call_control{.to = lmaster,
                                 .opcode = control::vacuum_fetch,
                                 .data = keys.take(),
                                 .patience = port_.config.update_patience});
  const bool all_taken = v.left == 0 && v.home.empty();
  if (!v.offered.running() && (is_full(v.to_offer) || (all_taken && !v.to_offer.empty())))
    return offer();
  if (v.offered.running()) return;  // its end goes on
  if (all_taken && v.to_offer.empty() && v.to_fetch.empty()) return end();
  slice_later();
}

/// A full run: finds what is in no queue, because it was deleted before a recovery or a restart of the queue's owner.
void vacuuming::look_for_deleted() {
  auto& v = work_;
  std::size_t seen = 0;
  bool is_full = false;
  const auto now = port_.env.loop.now();
  auto next = port_.store->scan(*v.look_at, [&](const record_view& r) {
    // one is always taken
    if (seen == looked_at_in_slice || (seen > 0 && port_.env.loop.now() - now > time_of_slice))
      return false;
    ++seen;
    if (!r.data.empty() || r.header.dmaster != port_.env.self) return true;
    is_full = !add(v.deleted, r.key, now);
    return !is_full;
  });
  if (!next) port_.trouble.failed("scan", next.error());
  if (next && !next->at_end() && !is_full) {
    *v.look_at = *next;
    return;
  }
  if (next && is_full) v.full_from = *next;  // the next run goes on there
  v.look_at.reset();
  v.left = v.deleted.size();
}

void vacuuming::fetch_some() {
  auto& v = work_;
  while (!v.to_fetch.empty() && v.fetch_keys.size() - v.to_fetch.size() < fetched_at_once) {
    const bytes key = std::move(v.to_fetch.front());
    v.to_fetch.pop_front();
    v.to_fetch_bytes -= key.size();
    if (records_.is_wanted(key)) {  // clients want it: it will come, and be deleted anew
      v.fetch_keys.erase(key);
      continue;
    }
    records_.enqueue(key, {.use = record_use::vacuum, .from = port_.env.self});
  }
}

void vacuuming::one(deletion_queue::entry e, std::map<pnn, rec_buffer_builder>& to_ctdbd) {
  const auto here = deleted_here(e.key);
  if (here && here->empty && copies_are_out(port_.env.self, here->header)) {
    copies_.call_back(e.key);  // of what is not there: the next run finds none
    return work_.again.push_back(std::move(e));
  }
  switch (decide_vacuum(port_.env.self, records_.lmaster(e.key), here, records_.is_wanted(e.key))) {
    case vacuum_step::forget: return;
    case vacuum_step::later: return work_.again.push_back(std::move(e));
    case vacuum_step::ask_all:
      return work_.to_offer.push_back({.what = std::move(e), .header = here->header});
    case vacuum_step::send_home: break;
  }
  const pnn home = records_.lmaster(e.key);
  if (!records_.reachable(home)) return work_.again.push_back(std::move(e));
  ++work_.sent_home;
  if (port_.view->find(home)->floe) return give_home(e.key, home);
  // a ctdbd takes nothing that it has not asked for without a word in its log
  to_ctdbd.try_emplace(home, port_.config.id)
      .first->second.add_plain(e.key, {}, number(port_.env.self));
}

/// As if its lmaster had asked for it.
void vacuuming::give_home(const bytes& key, pnn home) {
  const auto header = records_.own_header(key);
  const record_header kept = giveaway_header(header, false, home);
  if (!records_.store_as_daemon(key, kept, {})) return;
  records_.send_packet(home, reqid{0}, port_.env.self,
                       req_dmaster{.db = port_.config.id,
                                   .rsn = kept.rsn,
                                   .dmaster = home,
                                   .key = key,
                                   .data = {},
                                   .record_flags = kept.flags});
}

/// Complete, or cut short by a freeze, a member that is away, or its limit: what is not done is done in a later run.
void vacuuming::end() {
  auto& v = work_;
  v.running = false;
  if (v.offered.running())
    for (auto& r : v.offered.end()) v.again.push_back(std::move(r.what.what));
  for (auto& o : std::exchange(v.to_offer, {})) v.again.push_back(std::move(o.what));
  for (auto& o : std::exchange(agreed_, {})) v.again.push_back(std::move(o.what));
  for (auto& e : std::exchange(v.again, {})) add(v.deleted, e.key, e.since, e.refusals);
  if (v.look_at) v.full_due = true;
  v.look_at.reset();
  v.left = 0;
  ++v.runs;
  v.last_run_forgotten = v.forgotten_in_run;
  v.last_run_seconds = in_seconds(port_.env.loop.now() - v.since);
  v.run_latency.add(v.last_run_seconds);
  if (v.forgotten_in_run > 0)
    port_.env.log.tell(event::vacuumed{.db = port_.config.name,
                                       .forgotten = v.forgotten_in_run,
                                       .ms = static_cast<std::int64_t>(v.last_run_seconds * 1000),
                                       .left = v.deleted.size()});
  for (auto& w : std::exchange(v.waiting, {})) w.good();
  if (may_run()) compact_if_due();
}

/// The pages of forgotten records go back to the system when so little is left that writing it anew is no pause.
void vacuuming::compact_if_due() {
  auto& v = work_;
  if (v.settings.repack_limit == 0 || v.since_compaction < v.settings.repack_limit) return;
  if (auto done = port_.store->flush(); !done) return port_.trouble.failed("commit", done.error());
  const auto now = port_.store->stats();
  if (!now) return port_.trouble.failed("look at", now.error());
  if (!now->compaction_due() || now->file_pages - now->free_pages > small_content_pages) return;
  v.since_compaction = 0;
  if (auto done = port_.store->compact(); !done)
    return port_.trouble.failed("compact", done.error());
  ++v.compactions;
  // what the deleted records were kept in, and the lists of their keys, goes back, too
  if (!port_.env.loop.is_simulated()) port_.env.loop.offload([] { ::malloc_trim(1 << 20); }, [] {});
}

void vacuuming::report(database_report& r) const {
  const auto& v = work_;
  const auto now = port_.env.loop.now();
  r.vacuum = {.queued = v.deleted.size() + v.home.size() + v.to_fetch.size(),
              .runs = v.runs,
              .forgotten = v.forgotten,
              .sent_home = v.sent_home,
              .refused = v.refused,
              .compactions = v.compactions,
              .queue_bytes = v.queue_bytes(),
              .left_out = v.left_out,
              .running_ms = v.running ? in_ms(now - v.since) : -1,
              .last_run_seconds = v.last_run_seconds,
              .last_run_forgotten = v.last_run_forgotten};
  if (const auto since = v.deleted.oldest()) r.vacuum.oldest_ms = in_ms(now - *since);
}

}  // namespace floe
