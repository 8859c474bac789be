#include "actors/clib/transaction.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/rules/commit.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::clib {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_pause{1}, longest_pause{50}, pause{20};
constexpr int release_ms = 10'000, question_ms = 3'000;
/// A commit that recoveries keep throwing away has a reason that will not pass: a full disk, a copy that differs.
constexpr unsigned most_cuts = 5;

/// Tells the locks of one process apart, also from those of another library in it that counts, too.
std::uint16_t next_number() {
  static std::atomic<std::uint16_t> last = [] {
    std::uint16_t first = 0;
    (void)!::getrandom(&first, sizeof first, 0);
    return first;
  }();
  return ++last;
}

limit sooner(const limit& l, int ms) {
  const auto other = within(ms);
  return l ? std::min(*l, *other) : *other;
}

/// A refusal that a recovery in progress explains: asked again.
bool may_pass(const failure& f) { return f.code == FLOE_EREFUSED; }

failure unknown_fate(failure f) {
  f.code = f.code == FLOE_ELOST ? FLOE_ELOST : FLOE_ETIMEOUT;
  f.text = "not known whether it is stored: " + f.text;
  return f;
}

/// Until it answers anything but a refusal, or the limit.
template <class Ask>
auto insist(limit until, Ask ask) -> decltype(ask()) {
  for (;;) {
    auto r = ask();
    if (r || !may_pass(r.error())) return r;
    if (until && steady::now() + pause >= *until) {
      r.error().code = FLOE_ETIMEOUT;
      return r;
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

// --- begin and end -----------------------------------------------------------------------------------------------

outcome<std::unique_ptr<transaction>> transaction::start(node_connection& of, db_id db, limit until,
                                                         bool at_once) {
  const auto line = of.line(until);
  if (!line) return std::unexpected(line.error());
  const auto a = (*line)->ask({.opcode = control::get_dbmap}, until);
  if (!a) return std::unexpected(a.error());
  const auto map = decode_reply<control::get_dbmap>(a->data);
  if (!map) return failed(FLOE_EREPLY, map.error().text());
  const auto found = std::ranges::find(map->dbs, db, &dbid_and_flags::db_id);
  if (found == map->dbs.end()) return failed(FLOE_ENOENT, "no such database is attached");
  if (!(found->flags & (db_flag::persistent | db_flag::replicated)))
    return failed(FLOE_EINVAL, "only persistent and replicated databases have transactions");
  std::unique_ptr<transaction> t(new transaction(of, *line, db));
  if (const auto locked = t->take_lock(until, at_once); !locked)
    return std::unexpected(locked.error());
  const auto now = t->number_now(until);
  if (!now) return std::unexpected(now.error());
  t->began_at_ = now->number;
  return t;
}

transaction::~transaction() {
  try {
    if (locked_ && of_->current(line_)) (void)release(within(release_ms));
  } catch (const std::exception&) {
    // out of memory: the lock goes with the connection
  }
}

outcome<void> transaction::still_ours() {
  if (of_->current(line_)) return {};
  return failed(FLOE_ENOLOCK, "the transaction ended with the connection that it was begun by");
}

// --- the cluster-wide lock -----------------------------------------------------------------------------------------

outcome<void> transaction::take_lock(limit until, bool at_once) {
  const auto db = of_->attach(bytes(g_lock_db), db_kind::volatile_db, until);
  if (!db) return std::unexpected(db.error());
  lock_db_ = *db;
  owner_ = floe_lock_owner(::getpid(), of_->self(), next_number());
  if (const auto r =
          line_->ask({.opcode = control::register_srvid, .srvid = srvid{owner_.unique_id}}, until);
      !r)
    return std::unexpected(r.error());
  locked_ = true;  // or about to be: the destructor undoes what there is
  std::vector<server_id> dead;
  for (auto wait = first_pause;; wait = std::min(wait * 2, longest_pause)) {
    const auto other = try_lock(dead, until);
    if (!other) return std::unexpected(other.error());
    if (!*other) return {};
    const auto lives = alive(**other, until);
    if (!lives) return std::unexpected(lives.error());
    if (!*lives) {
      dead.push_back(**other);
      continue;
    }
    if (at_once || passed(until))
      return failed(FLOE_ETIMEOUT, "the transaction lock is held by process " +
                                       std::to_string((*other)->pid) + " on node " +
                                       std::to_string(number((*other)->vnn)));
    std::this_thread::sleep_for(wait);
  }
}

/// Who is in the way; nothing: it is ours.
outcome<std::optional<server_id>> transaction::try_lock(const std::vector<server_id>& dead,
                                                        limit until) {
  const auto key = transaction_lock_key(db_);
  auto held =
      lock_record(line_, {of_->self(), lock_db_, key}, until ? milliseconds_left(until, 1) : -1);
  if (!held) return std::unexpected(held.error());
  auto list = wire::decode<g_lock_list>(held->data);
  std::optional<server_id> other;
  outcome<void> stored;
  if (!list)
    stored = failed(
        FLOE_EREPLY,
        "the record of the transaction lock is not in CTDB's format (smbd uses another one)");
  else if (other = join_or_blame(*list, g_lock_type::write, owner_, dead); !other)
    stored = store_record(*held, wire::encode(*list), until);
  // whoever is asked about is asked without the record's lock: a recovery would wait for us
  if (const auto r = unlock_record(*held, of_->patience()); !r) return std::unexpected(r.error());
  if (!stored) return std::unexpected(stored.error());
  return other;
}

/// A node that is not connected has no clients in this cluster; one that does not answer may have.
outcome<bool> transaction::alive(const server_id& who, limit until) {
  const bool ours = who.task_id == floe_lock_task;
  const auto id = process_id{static_cast<std::int32_t>(who.pid)};
  const auto question =
      ours ? encode_request<control::check_pid_srvid>({.pid = id, .srvid = srvid{who.unique_id}})
           : encode_request<control::process_exists>(id);
  const auto a = line_->ask({.to = who.vnn,
                             .opcode = ours ? control::check_pid_srvid : control::process_exists,
                             .data = question},
                            sooner(until, question_ms));
  if (a || a.error().code == FLOE_ETIMEOUT) return true;
  if (a.error().code == FLOE_EREFUSED) return false;
  return std::unexpected(a.error());
}

outcome<void> transaction::release(limit until) {
  locked_ = false;
  changes_.clear();
  const auto gone =
      line_->tell({.opcode = control::deregister_srvid, .srvid = srvid{owner_.unique_id}}, until);
  if (!gone) return gone;
  const auto key = transaction_lock_key(db_);
  auto held = lock_record(line_, {of_->self(), lock_db_, key}, milliseconds_left(until, 1));
  if (!held) return std::unexpected(held.error());
  auto list = wire::decode<g_lock_list>(held->data);
  outcome<void> stored;
  if (list && leave(*list, owner_))
    stored = store_record(*held, list->locks.empty() ? bytes() : wire::encode(*list), until);
  const auto r = unlock_record(*held, until);
  return stored ? r : stored;
}

// --- reading and changing ------------------------------------------------------------------------------------------

outcome<seen_record> transaction::present(byte_view key, limit until) {
  return read_record(*line_, {of_->self(), db_, key}, 0, until);
}

outcome<transaction::number_record> transaction::number_now(limit until) {
  const auto r = present(sequence_number_key, until);
  if (!r) return std::unexpected(r.error());
  number_record now{.header = r->header};
  if (r->data.size() == sizeof now.number)
    std::memcpy(&now.number, r->data.data(), sizeof now.number);
  return now;
}

outcome<seen_record> transaction::read(byte_view key) {
  if (const auto ours = still_ours(); !ours) return std::unexpected(ours.error());
  if (const auto mine = changes_.find(bytes(key)); mine != changes_.end())
    return seen_record{!mine->second.data.empty(), mine->second.header, mine->second.data};
  return present(key, of_->patience());
}

outcome<void> transaction::store(byte_view key, byte_view data) {
  if (const auto ours = still_ours(); !ours) return ours;
  if (key == sequence_number_key)
    return failed(FLOE_EINVAL, "the database's sequence number is written by every commit");
  if (const auto mine = changes_.find(bytes(key)); mine != changes_.end()) {
    mine->second.data.assign(data);
    return {};
  }
  const auto here = present(key, of_->patience());
  if (!here) return std::unexpected(here.error());
  if (here->data == data) return {};
  record_header h;
  h.rsn = next(here->header.rsn);
  h.dmaster = of_->self();
  changes_[bytes(key)] = {h, bytes(data)};
  return {};
}

// --- commit --------------------------------------------------------------------------------------------------------

bytes transaction::encode_changes(const number_record& before) const {
  record_header h;
  h.rsn = next(before.header.rsn);
  h.dmaster = of_->self();
  rec_buffer_builder b(db_);
  for (const auto& [key, mine] : changes_) b.add(key, mine.header, mine.data);
  b.add(sequence_number_key, h, wire::encode(before.number + 1));
  return b.take();
}

outcome<void> transaction::commit(limit until) {
  if (const auto ours = still_ours(); !ours) return ours;
  const auto before = insist(until, [&] { return number_now(until); });
  outcome<void> done;
  if (!before)
    done = std::unexpected(before.error());
  else if (before->number != began_at_)
    done =
        failed(FLOE_ECHANGED,
               "nothing is stored: the database has changed under this transaction, in a recovery");
  else if (!changes_.empty())
    done = send_until_known(encode_changes(*before), before->number, until);
  // the lock is given back in any case; if that fails it goes with the connection
  if (of_->current(line_))
    (void)release(within(std::max(milliseconds_left(until, 1000), release_ms)));
  return done;
}

/// Asked again as long as it is refused.
outcome<std::uint64_t> transaction::database_number(limit until) {
  return insist(until, [&]() -> outcome<std::uint64_t> {
    const auto data = encode_request<control::get_db_seqnum>({db_});
    const auto a = line_->ask({.opcode = control::get_db_seqnum, .data = data}, until);
    if (!a) return std::unexpected(a.error());
    const auto n = decode_reply<control::get_db_seqnum>(a->data);
    if (!n) return failed(FLOE_EREPLY, n.error().text());
    return *n;
  });
}

outcome<void> transaction::send_until_known(const bytes& records, std::uint64_t before,
                                            limit until) {
  for (unsigned cuts = 0;;) {
    const auto sent = line_->ask({.opcode = control::trans3_commit, .data = records}, until);
    if (sent && sent->status == 0) return {};
    if (!sent && sent.error().code == FLOE_EINVAL)
      return failed(FLOE_EINVAL, "nothing is stored: " + sent.error().text);
    if (!sent && !may_pass(sent.error())) return std::unexpected(unknown_fate(sent.error()));
    if (sent) ++cuts;
    const std::string because = sent ? "recoveries came in between" : sent.error().text;
    const auto number = database_number(until);
    if (!number) return std::unexpected(unknown_fate(number.error()));
    if (*number > before) return compare(before, *number, until);
    if (*number < before)
      return failed(FLOE_ECHANGED, "nothing is stored: a recovery brought older content");
    if (cuts >= most_cuts || (until && steady::now() + pause >= *until))
      return failed(FLOE_EREFUSED, "nothing is stored: " + because);
    std::this_thread::sleep_for(pause);
  }
}

/// The number has gone on while a recovery went on: is it by this transaction? If others came after it, and its records are
/// not there any more, nobody knows. They may have come after the number was read.
outcome<void> transaction::compare(std::uint64_t before, std::uint64_t now, limit until) {
  for (const auto& [key, mine] : changes_) {
    const auto r = insist(until, [&] { return present(key, until); });
    if (!r) return std::unexpected(unknown_fate(r.error()));
    // a recovery drops deleted records
    if (r->data == mine.data && (mine.data.empty() || r->header.rsn == mine.header.rsn)) continue;
    if (now == before + 1) {
      const auto number = database_number(until);
      if (!number) return std::unexpected(unknown_fate(number.error()));
      now = *number;
    }
    if (now != before + 1)
      return failed(
          FLOE_ETIMEOUT,
          "not known whether it is stored: other transactions came while a recovery was going on");
    return failed(
        FLOE_ECHANGED,
        "nothing is stored: another transaction came first, while a recovery was going on");
  }
  return {};
}

}  // namespace floe::clib
