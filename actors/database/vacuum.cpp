/// Vacuuming: deleted records are forgotten, on all nodes, while everybody works. When and in which order is in
/// protocol/rules/vacuum.hpp; here it is carried out in slices.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::size_t keys_of_slice = 64;  ///< some hundred microseconds
constexpr std::size_t looked_at_in_slice = 500;
constexpr std::size_t keys_of_offer = 200;
constexpr std::size_t bytes_of_offer = 4 << 20;  ///< of keys, which may be large

/// One request for the agreement of the others takes no more.
bool is_full(const std::vector<offered_deletion>& offer) {
  std::size_t size = 0;
  for (const auto& o : offer) size += o.what.key.size();
  return offer.size() >= keys_of_offer || size >= bytes_of_offer;
}
constexpr std::size_t fetched_at_once = 64;
/// Among floe nodes, in the place of the database's number beside a record of TRY_DELETE_RECORDS: older copies become empty,
/// none is dropped yet.
constexpr std::uint32_t only_empty_it = 1;
constexpr unsigned most_refusals = 3;  ///< then it waits for a full run
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
  fetch_some();
  std::map<pnn, rec_buffer_builder> to_ctdbd;
  std::size_t key_bytes = 0;
  for (std::size_t n = 0; n < keys_of_slice && key_bytes < bytes_of_offer && !is_full(v.to_offer);
       ++n) {
    auto e = v.left > 0 ? v.deleted.take() : v.home.take();
    if (v.left > 0) --v.left;
    if (e) key_bytes += e->key.size();
    if (e) vacuum_one(std::move(*e), to_ctdbd);
    if (!e && v.left == 0) break;
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
    if (seen++ == looked_at_in_slice) return false;
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

// --- the agreement of all others ---------------------------------------------------------------------------------

/// First nobody has an old copy any more, then the empty ones go: if a node is lost in between, or was not reached by
/// all, no copy can come back.
void database::offer() {
  const auto others = who_must_agree();
  if (!others) return end_vacuum();  // a member is away: a recovery will come, or the member
  std::vector<pnn> floe;
  std::ranges::copy_if(*others, std::back_inserter(floe),
                       [this](pnn n) { return view_->find(n)->floe; });
  if (mutated(mutant::old_copies_dropped_at_once)) floe.clear();
  ask_others(vacuum_stage::replacing, std::exchange(vacuum_.to_offer, {}), floe);
}

std::optional<std::vector<pnn>> database::who_must_agree() const {
  std::vector<vacuum_peer> nodes;
  for (std::uint32_t n = 0; n < view_->nodes.size(); ++n) {
    const auto flags = view_->nodes[n].flags;
    if (!(flags & node_flag::deleted))
      nodes.push_back({.node = pnn{n},
                       .connected = reachable(pnn{n}),
                       .active = !(flags & node_flag::inactive)});
  }
  return floe::who_must_agree(env_.self, nodes, view_->map);
}

void database::ask_others(vacuum_stage stage, std::vector<offered_deletion> what,
                          std::span<const pnn> others) {
  auto& v = vacuum_;
  rec_buffer_builder offered(config_.id);
  for (const auto& o : what) {
    bytes header;
    append_header(header, o.header);
    offered.add_plain(o.what.key, header,
                      stage == vacuum_stage::replacing ? only_empty_it : number(config_.id));
  }
  vacuum_stage_ = stage;
  v.offered.begin(std::move(what), others);
  const bytes data = offered.take();
  for (pnn n : others)
    node_.tell(call_control{
        .to = n,
        .opcode = control::try_delete_records,
        .data = data,
        .patience = config_.update_patience,
        .answer = replier([to = self(), batch = v.offered.number(), n](control_answer a) {
          to.tell(db_vacuum_answer{batch, n, std::move(a)});
        })});
  if (v.offered.complete()) all_answered();
}

void database::on(db_vacuum_answer& m) {
  std::optional<std::vector<bytes>> kept;
  if (m.answer.status == 0) {
    if (const auto records = wire::decode<rec_buffer>(m.answer.data)) {
      kept.emplace();
      for (const rec_data& r : *records) kept->emplace_back(r.key);
    }
  }
  vacuum_.offered.answered(m.offer, m.node, kept);
  if (vacuum_.running && vacuum_.offered.complete()) all_answered();
}

void database::all_answered() {
  auto& v = vacuum_;
  const auto others = who_must_agree();
  if (!may_vacuum() || !others) return end_vacuum();
  std::vector<offered_deletion> agreed;
  for (auto& r : v.offered.end()) {
    if (r.outcome == agreed_deletion::outcome::agreed) {
      agreed.push_back(std::move(r.what));
      continue;
    }
    const bool refused = r.outcome == agreed_deletion::outcome::refused;
    v.refused += refused;
    r.what.what.refusals += refused;
    if (r.what.what.refusals < most_refusals) v.again.push_back(std::move(r.what.what));
  }
  if (vacuum_stage_ == vacuum_stage::replacing && !agreed.empty())
    return ask_others(vacuum_stage::dropping, std::move(agreed), *others);
  for (auto& o : agreed) drop_last(std::move(o));
  next_slice();
}

/// Nobody else has a copy: this node's goes, if it is still as it was offered.
void database::drop_last(offered_deletion o) {
  auto& v = vacuum_;
  const auto here = deleted_here(o.what.key);
  const bool as_offered = here && here->empty && here->header == o.header;
  if (locks_.find(o.what.key) || in_table(o.what.key)) return v.again.push_back(std::move(o.what));
  if (as_offered && forget(o.what.key)) ++v.forgotten, ++v.forgotten_in_run;
}

/// Complete, or cut short by a freeze, a member that is away, or its limit: what is not done is done in a later run.
void database::end_vacuum() {
  auto& v = vacuum_;
  v.running = false;
  if (v.offered.running())
    for (auto& r : v.offered.end()) v.again.push_back(std::move(r.what.what));
  for (auto& o : std::exchange(v.to_offer, {})) v.again.push_back(std::move(o.what));
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

// --- the vacuuming of others -----------------------------------------------------------------------------------

/// TRY_DELETE_RECORDS: the answer lists what could not be deleted, or emptied.
void database::try_delete_records(db_control& m) {
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail("only volatile databases are vacuumed");
  if (!may_vacuum()) return m.answer.fail("not now: a recovery is going on");
  const auto& packet = m.packet->content;
  if (!m.client && packet.header.gen != view_->gen)
    return m.answer.fail("sent before the last recovery");
  const auto& offered = m.request<control::try_delete_records>();
  rec_buffer_builder kept(config_.id);
  for (const rec_data& raw : offered) {
    if (raw.data.size() < record_header::wire_size) return m.answer.fail("a record without header");
    const auto deleted = load_header(raw.data.data());
    const auto outcome = decide_try_delete(env_.self, lmaster(raw.key), header_of(raw.key), deleted,
                                           locks_.find(raw.key) != nullptr || in_table(raw.key));
    if (outcome == try_delete_outcome::gone) continue;
    const auto carry_out = [&] {
      return raw.reqid == only_empty_it ? put(raw.key, deleted, {}) : forget(raw.key);
    };
    if (outcome == try_delete_outcome::drop && carry_out()) continue;
    kept.add_plain(raw.key, raw.data, raw.reqid);
  }
  m.answer.good(bytes(kept.encoded()));
}

}  // namespace floe
