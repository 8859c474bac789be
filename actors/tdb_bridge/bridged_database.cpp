#include "actors/tdb_bridge/bridged_database.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "actors/tdb_bridge/tdb_octets.hpp"

namespace floe::bridge {
namespace {

/// Opening and questions; locks, reads and stores wait as long as those of a file.
constexpr int question_ms = 60'000;
constexpr int transaction_ms = 120'000;

TDB_ERROR as_tdb(int code) {
  switch (code) {
    case FLOE_ENOENT: return TDB_ERR_NOEXIST;
    case FLOE_ETIMEOUT: return TDB_ERR_LOCK;
    case FLOE_ENOLOCK: return TDB_ERR_NOLOCK;
    case FLOE_ENOMEM: return TDB_ERR_OOM;
    case FLOE_EINVAL: return TDB_ERR_EINVAL;
    default: return TDB_ERR_IO;
  }
}

}  // namespace

// --- life --------------------------------------------------------------------------------------------------------

bool bridged_database::open(floe_connection* node) {
  node_ = node;
  floe_kind kind = FLOE_VOLATILE;
  const int code = node ? floe_find(node, options_.name.c_str(), question_ms, &db_, &kind)
                        : static_cast<int>(FLOE_ENOTCONN);
  if (code != FLOE_OK) {
    say(TDB_DEBUG_ERROR, "cannot open %s: %s", options_.path.c_str(), floe_error_text());
    errno = code == FLOE_ENOENT ? ENOENT : code == FLOE_ENOTCONN ? ECONNREFUSED : EIO;
    return false;
  }
  persistent_ = kind != FLOE_VOLATILE;  // replicated ones are written as persistent ones are
  fd_ = ::open(options_.path.c_str(), O_RDONLY | O_CLOEXEC);
  return true;
}

bridged_database::~bridged_database() {
  floe_transaction_cancel(transaction_);
  for (auto& [key, l] : locks_) (void)floe_unlock(l.lock);
  if (fd_ >= 0) ::close(fd_);
}

void bridged_database::forget_locks() {
  floe_transaction_cancel(std::exchange(transaction_, nullptr));
  for (auto& [key, l] : std::exchange(locks_, {})) (void)floe_unlock(l.lock);
}

int bridged_database::touch() {
  const int code = floe_find(node_, options_.name.c_str(), question_ms, nullptr, nullptr);
  return code == FLOE_OK ? 0 : failed(code, "reach the node of");
}

// --- errors ------------------------------------------------------------------------------------------------------

void bridged_database::say(tdb_debug_level level, const char* format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  std::vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (options_.log.log_fn)
    options_.log.log_fn(self_, level, "floe: %s\n", text);
  else
    std::fprintf(stderr, "floe: %s\n", text);
}

int bridged_database::failed(int code, const char* doing) {
  const std::string why = floe_error_text();
  error_ = as_tdb(code);
  if (code == FLOE_ENOENT) return -1;
  if (code == FLOE_ELOST || code == FLOE_ENOLOCK) {
    say(TDB_DEBUG_FATAL, "cannot %s %s: %s; this process ends, as it cannot know what became of it",
        doing, options_.name.c_str(), why.c_str());
    ::_exit(1);
  }
  if (why != last_failure_)
    say(TDB_DEBUG_ERROR, "cannot %s %s: %s", doing, options_.name.c_str(), why.c_str());
  last_failure_ = why;
  return -1;
}

int bridged_database::fail(TDB_ERROR e, const char* why) noexcept {
  error_ = e;
  try {
    if (why != last_failure_) say(TDB_DEBUG_ERROR, "%s: %s", options_.name.c_str(), why);
    last_failure_ = why;
  } catch (const std::exception&) {  // no memory for its words
    last_failure_.clear();
  }
  return -1;
}

bool bridged_database::may_change() {
  if (options_.only_read) error_ = TDB_ERR_RDONLY;
  return !options_.only_read;
}

int bridged_database::refuse(TDB_ERROR e, const char* function) {
  error_ = e;
  if (std::ranges::find(refused_, function) == refused_.end()) {
    refused_.push_back(function);
    say(TDB_DEBUG_ERROR, "%s is not for %s: it is a database of a floe node, shared by a cluster",
        function, options_.name.c_str());
  }
  return -1;
}

// --- locks -------------------------------------------------------------------------------------------------------

bridged_database::held_lock* bridged_database::held(TDB_DATA key) {
  if (locks_.empty()) return nullptr;
  const auto i = locks_.find(as_string(key));
  return i == locks_.end() ? nullptr : &i->second;
}

int bridged_database::lock(TDB_DATA key, int timeout_ms) {
  if (persistent_) return refuse(TDB_ERR_LOCK, "a chain lock");
  if (auto* h = held(key)) {
    ++h->nested;
    return 0;
  }
  floe_lock* made = nullptr;
  const int code = floe_lock_record(node_, db_, key.dptr, key.dsize, timeout_ms, &made);
  if (code == FLOE_ETIMEOUT && timeout_ms >= 0) {
    error_ = TDB_ERR_LOCK;  // which is what was asked
    return -1;
  }
  if (code != FLOE_OK) return failed(code, "lock a record of");
  locks_.emplace(as_string(key), held_lock{made, 1});
  return 0;
}

int bridged_database::unlock(TDB_DATA key) {
  const auto i = locks_.find(as_string(key));
  if (i == locks_.end()) return fail(TDB_ERR_LOCK, "a record was unlocked that is not locked");
  if (--i->second.nested > 0) return 0;
  auto* const lock = i->second.lock;
  locks_.erase(i);
  const int code = floe_unlock(lock);
  return code == FLOE_OK ? 0 : failed(code, "unlock a record of");
}

// --- reading -----------------------------------------------------------------------------------------------------

/// `also_ours`: a record that nobody has, but that this node would own, is shown as the empty one that it is to whoever asks
/// for it; that saves the caller from asking.
bool bridged_database::look(TDB_DATA key, bool also_ours, seen& out) {
  if (const auto* h = held(key)) {
    std::size_t size = 0;
    const void* data = floe_lock_data(h->lock, &size);
    floe_header header;
    floe_lock_header(h->lock, &header);
    out = {true, octets(header, data, size)};
    return true;
  }
  before_read();
  floe_value v;
  const int code = transaction_ ? floe_transaction_read(transaction_, key.dptr, key.dsize, &v)
                                : floe_read(node_, db_, key.dptr, key.dsize, FLOE_READ_SETTLED,
                                            FLOE_FOREVER, &v);
  if (code != FLOE_OK && code != FLOE_ENOENT) {
    failed(code, "read a record of");
    return false;
  }
  const bool ours = also_ours && !persistent_ && v.header.dmaster == floe_pnn(node_);
  out.there = v.exists || ours;
  if (out.there) out.octets = octets(v.header, v.data, v.size);
  floe_free(&v);
  if (!out.there) error_ = TDB_ERR_NOEXIST;
  return true;
}

TDB_DATA bridged_database::fetch(TDB_DATA key) {
  seen r;
  if (!look(key, false, r) || !r.there) return {nullptr, 0};
  const auto made = copy(r.octets);
  if (!made.dptr) error_ = TDB_ERR_OOM;
  return made;
}

int bridged_database::parse(TDB_DATA key, tdb_parser run, void* context) {
  seen r;
  if (!look(key, true, r) || !r.there) return -1;
  return run(key, as_data(r.octets), context);
}

bool bridged_database::exists(TDB_DATA key) {
  seen r;
  return look(key, false, r) && r.there;
}

/// Nothing: it is not known.
std::optional<std::uint64_t> bridged_database::count_of_changes() {
  std::uint64_t n = 0;
  if (floe_sequence_number(node_, db_, FLOE_FOREVER, &n) != FLOE_OK) return std::nullopt;
  return n;
}

void bridged_database::before_read() {
  if (persistent_ || !changes_.wants_to_know()) return;
  changes_.reads_at(count_of_changes());
}

int bridged_database::sequence_number() {
  if (!persistent_) return changes_.number_for(count_of_changes()) & 0x7FFFFFFF;
  std::uint64_t n = 0;
  const int code = floe_sequence_number(node_, db_, FLOE_FOREVER, &n);
  return code == FLOE_OK ? static_cast<int>(n) : failed(code, "read the sequence number of");
}

// --- writing -----------------------------------------------------------------------------------------------------

int bridged_database::store(TDB_DATA key, const TDB_DATA* parts, int count, int flag) {
  std::string all;
  if (!may_change()) return -1;
  for (int i = 0; i < count; ++i) all += as_string(parts[i]);
  if (all.size() < header_size) return fail(TDB_ERR_EINVAL, "what is stored has no header");
  return write(key, all.substr(header_size), flag);
}

int bridged_database::remove(TDB_DATA key) { return write(key, {}, TDB_MODIFY); }

int bridged_database::append(TDB_DATA key, TDB_DATA data) {
  seen r;
  if (!persistent_ && lock(key, FLOE_FOREVER) != 0) return -1;
  int done = -1;
  if (look(key, false, r)) {
    // to nothing is appended what must bring a header itself
    const auto all = (r.there ? r.octets : std::string()) + as_string(data);
    if (all.size() < header_size)
      fail(TDB_ERR_EINVAL, "what is stored has no header");
    else
      done = write(key, all.substr(header_size), 0);
  }
  if (!persistent_ && unlock(key) != 0) return -1;
  return done;
}

int bridged_database::write(TDB_DATA key, const std::string& data, int flag) {
  if (!may_change()) return -1;
  if (persistent_) return write_persistent(key, data, flag);
  if (auto* h = held(key)) return write_locked(h->lock, data, flag);
  if (lock(key, FLOE_FOREVER) != 0) return -1;
  const int done = write_locked(held(key)->lock, data, flag);
  const auto why = error_;
  if (unlock(key) != 0) return -1;
  error_ = why;
  return done;
}

int bridged_database::write_locked(floe_lock* l, const std::string& data, int flag) {
  std::size_t present = 0;
  (void)floe_lock_data(l, &present);
  if (flag == TDB_INSERT && present > 0) return error_ = TDB_ERR_EXISTS, -1;
  if (flag == TDB_MODIFY && present == 0) return error_ = TDB_ERR_NOEXIST, -1;
  const int code = floe_store(l, data.data(), data.size());
  return code == FLOE_OK ? 0 : failed(code, "store a record of");
}

int bridged_database::write_persistent(TDB_DATA key, const std::string& data, int flag) {
  const bool alone = !transaction_;
  if (alone && begin(transaction_ms) != 0) return -1;
  floe_value v;
  int code = floe_transaction_read(transaction_, key.dptr, key.dsize, &v);
  const bool there = code == FLOE_OK;
  floe_free(&v);
  if (there || code == FLOE_ENOENT) {
    if ((flag == TDB_INSERT && there) || (flag == TDB_MODIFY && !there)) {
      if (alone) cancel();
      error_ = there ? TDB_ERR_EXISTS : TDB_ERR_NOEXIST;
      return -1;
    }
    code = floe_transaction_store(transaction_, key.dptr, key.dsize, data.data(), data.size());
  }
  if (code != FLOE_OK) {
    failed(code, "store a record of");
    if (alone) cancel();
    return -1;
  }
  return alone ? commit() : 0;
}

// --- transactions ------------------------------------------------------------------------------------------------

int bridged_database::begin(int timeout_ms) {
  if (!may_change()) return -1;
  if (!persistent_) return refuse(TDB_ERR_EINVAL, "a transaction");
  if (transaction_) return fail(TDB_ERR_NESTING, "a transaction is open already");
  const int code = floe_transaction_start(node_, db_, timeout_ms < 0 ? transaction_ms : timeout_ms,
                                          &transaction_);
  if (code == FLOE_ETIMEOUT && timeout_ms == 0) {
    error_ = TDB_ERR_LOCK;  // which is what was asked
    return -1;
  }
  return code == FLOE_OK ? 0 : failed(code, "begin a transaction of");
}

int bridged_database::commit() {
  if (!transaction_) return fail(TDB_ERR_EINVAL, "no transaction is open");
  const int code = floe_transaction_commit(std::exchange(transaction_, nullptr), transaction_ms);
  return code == FLOE_OK ? 0 : failed(code, "commit a transaction of");
}

int bridged_database::cancel() {
  if (!transaction_) return fail(TDB_ERR_EINVAL, "no transaction is open");
  floe_transaction_cancel(std::exchange(transaction_, nullptr));
  return 0;
}

}  // namespace floe::bridge
