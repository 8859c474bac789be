#ifndef FLOE_CLIENT_HPP
#define FLOE_CLIENT_HPP
/*
 * The interface of floe/client.h for C++17: what is given out gives itself back, failures are exceptions, limits are
 * durations. Link with -lfloe-client (pkg-config floe-client); nothing else is needed, it is all in this header.
 *
 *   floe::connection node("/run/floe");
 *   auto visitors = node.attach("visitors.tdb");
 *   {
 *     auto lock = visitors.lock("alice", 10s);
 *     lock.store(std::to_string(lock.data().size()));
 *   }  // unlocked
 *
 * Failures: floe::failure, which has the code of floe/client.h and says in words what was being done and what went wrong.
 * "There is no such record" is no failure: an empty std::optional. Destructors never throw; who has to know whether a lock
 * could be given back calls unlock().
 *
 * Threads, fork, a lost node: as floe/client.h says. Lifetime: locks, transactions and databases refer to their connection
 * and end before it; a connection may be moved meanwhile. What handlers are given lives as long as their call.
 */
#include <floe/client.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace floe {

using limit = std::chrono::milliseconds;
inline constexpr limit forever{FLOE_FOREVER};
/// What is done at once anywhere else gives up after this.
inline constexpr limit usual{30'000};

class failure : public std::runtime_error {
 public:
  failure(int code, const std::string& doing)
      : std::runtime_error(doing + ": " + floe_error_text()),
        code_(static_cast<floe_error>(code)) {}
  floe_error code() const noexcept { return code_; }

 private:
  floe_error code_;
};

/// Not negative: the result itself.
inline int checked(int result, const char* doing) {
  if (result < 0) throw failure(result, doing);
  return result;
}

enum class kind { any = FLOE_VOLATILE, persistent = FLOE_PERSISTENT, replicated = FLOE_REPLICATED };

enum class read_from {
  owner = FLOE_READ_OWNER,      ///< the record comes here: nobody has a newer value
  settled = FLOE_READ_SETTLED,  ///< this node's copy, after who holds it here now
  copy = FLOE_READ_COPY         ///< this node's copy as it is
};

namespace detail {

inline int in_ms(limit t) { return static_cast<int>(t.count()); }

/// The octets of a value, which is given back; nothing if there is no record.
inline std::optional<std::string> taken(int result, floe_value& v, const char* doing) {
  std::optional<std::string> octets;
  if (result == FLOE_OK) octets.emplace(v.data ? static_cast<const char*>(v.data) : "", v.size);
  floe_free(&v);
  if (result != FLOE_ENOENT) checked(result, doing);
  return octets;
}

}  // namespace detail

/// A record that is locked in the whole cluster; unlocked when this ends. One thread at a time.
class record_lock {
 public:
  explicit record_lock(floe_lock* held) : held_(held) {}

  /// What the record holds, with the stores of this lock; valid until the next call. Empty also if there is none.
  std::string_view data() const {
    std::size_t size = 0;
    const auto* octets = static_cast<const char*>(floe_lock_data(held_.get(), &size));
    return size ? std::string_view(octets, size) : std::string_view();
  }
  floe_header header() const {
    floe_header h{};
    floe_lock_header(held_.get(), &h);
    return h;
  }
  /// Returns when the node has it. No octets: as erase().
  void store(std::string_view data) {
    checked(floe_store(held_.get(), data.data(), data.size()), "store");
  }
  void erase() { checked(floe_delete(held_.get()), "delete"); }
  /// Throws failure (FLOE_ENOLOCK) if it was lost meanwhile: what was stored before then holds nevertheless.
  void unlock() { checked(floe_unlock(held_.release()), "unlock"); }

 private:
  struct unlocks {
    void operator()(floe_lock* l) const noexcept { floe_unlock(l); }
  };
  std::unique_ptr<floe_lock, unlocks> held_;
};

/// Stores that become true together, or not at all; cancelled unless committed. One thread at a time.
class transaction {
 public:
  explicit transaction(floe_transaction* t) : open_(t) {}

  /// As this transaction has left it, else as it is stored.
  std::optional<std::string> read(std::string_view key) const {
    floe_value v{};
    return detail::taken(floe_transaction_read(open_.get(), key.data(), key.size(), &v), v,
                         "read in a transaction");
  }
  /// Nothing is sent before the commit. No octets: as erase().
  void store(std::string_view key, std::string_view data) {
    checked(floe_transaction_store(open_.get(), key.data(), key.size(), data.data(), data.size()),
            "store in a transaction");
  }
  void erase(std::string_view key) { store(key, {}); }
  /// Returns when it is durable on all nodes. failure::code() says whether anything can have been stored: not for
  /// FLOE_EREFUSED and FLOE_ECHANGED, perhaps all of it for FLOE_ETIMEOUT and FLOE_ELOST.
  void commit(limit t = usual) {
    checked(floe_transaction_commit(open_.release(), detail::in_ms(t)), "commit");
  }

 private:
  struct cancels {
    void operator()(floe_transaction* t) const noexcept { floe_transaction_cancel(t); }
  };
  std::unique_ptr<floe_transaction, cancels> open_;
};

/// A database that is attached; a reference, cheap to copy.
class database {
 public:
  database(floe_connection* c, floe_db id) : c_(c), id_(id) {}
  floe_db id() const noexcept { return id_; }

  /// First come, first served, in the whole cluster.
  record_lock lock(std::string_view key, limit t = usual) const {
    floe_lock* held = nullptr;
    checked(floe_lock_record(c_, id_, key.data(), key.size(), detail::in_ms(t), &held), "lock");
    return record_lock(held);
  }
  /// Nothing if somebody else has it, or if it is on another node.
  std::optional<record_lock> try_lock(std::string_view key) const {
    floe_lock* held = nullptr;
    const int result = floe_lock_record(c_, id_, key.data(), key.size(), 0, &held);
    if (result == FLOE_ETIMEOUT) return {};
    checked(result, "lock");
    return record_lock(held);
  }
  std::optional<std::string> read(std::string_view key, read_from how = read_from::owner,
                                  limit t = usual) const {
    floe_value v{};
    return detail::taken(
        floe_read(c_, id_, key.data(), key.size(), static_cast<int>(how), detail::in_ms(t), &v), v,
        "read");
  }
  /// Every record, no snapshot: bool(key, data, header), false ends the walk. What it throws goes on to the caller.
  template <class Visitor>
  std::uint64_t for_each(Visitor visit, unsigned flags = 0, limit t = usual) const {
    walk<Visitor> w{std::move(visit), {}};
    std::uint64_t count = 0;
    const int result =
        floe_traverse(c_, id_, flags, detail::in_ms(t), &walk<Visitor>::show, &w, &count);
    if (w.thrown) std::rethrow_exception(w.thrown);
    checked(result, "traverse");
    return count;
  }
  /// Waits for transactions of others, on all nodes.
  transaction begin(limit t = usual) const {
    floe_transaction* open = nullptr;
    checked(floe_transaction_start(c_, id_, detail::in_ms(t), &open), "begin a transaction");
    return transaction(open);
  }
  /// As floe_sequence_number: for whoever caches what it has read.
  std::uint64_t sequence_number(limit t = usual) const {
    std::uint64_t n = 0;
    checked(floe_sequence_number(c_, id_, detail::in_ms(t), &n), "ask for the sequence number");
    return n;
  }
  void allow_copies(limit t = usual) const {
    checked(floe_allow_copies(c_, id_, detail::in_ms(t)), "allow read-only copies");
  }
  void detach(limit t = usual) const { checked(floe_detach(c_, id_, detail::in_ms(t)), "detach"); }

 private:
  template <class Visitor>
  struct walk {
    Visitor visit;
    std::exception_ptr thrown;
    static int show(const void* key, std::size_t key_size, const void* data, std::size_t data_size,
                    const floe_header* header, void* self) {
      auto& w = *static_cast<walk*>(self);
      try {
        const std::string_view k(static_cast<const char*>(key), key_size);
        const std::string_view d(data ? static_cast<const char*>(data) : "", data_size);
        return w.visit(k, d, *header) ? 0 : 1;
      } catch (...) {
        w.thrown = std::current_exception();
        return 1;
      }
    }
  };
  floe_connection* c_;
  floe_db id_;
};

/// A message of somebody's in the cluster.
struct message {
  std::uint64_t srvid;
  std::uint32_t from_pnn;
  std::string_view data;
};

/// By way of a node on this machine. Any number of threads may use it at once.
class connection {
 public:
  using on_message = std::function<void(const message&)>;
  using on_recovery = std::function<void(floe_db, floe_phase, bool recovering)>;

  /// `where`: the node's socket, or its directory; `flags`: FLOE_RECONNECT and so on.
  explicit connection(const std::string& where, unsigned flags = 0, limit t = usual)
      : handlers_(std::make_unique<handlers>()) {
    floe_connection* c = nullptr;
    checked(floe_connect(where.c_str(), flags, detail::in_ms(t), &c), "connect");
    c_.reset(c);
  }

  floe_connection* get() const noexcept { return c_.get(); }  ///< for what only floe/client.h has
  std::uint32_t pnn() const noexcept { return floe_pnn(c_.get()); }
  /// Readable when process() has something to do. Another one after a fork or a reconnect.
  int fd() const { return checked(floe_fd(c_.get()), "ask for the descriptor"); }
  void patience(limit t) { floe_set_patience(c_.get(), detail::in_ms(t)); }

  /// Makes the database on all nodes if need be; kind::any finds one of any kind, and makes a volatile one.
  database attach(const std::string& name, kind k = kind::any, limit t = usual) const {
    floe_db id = 0;
    checked(floe_attach(c_.get(), name.c_str(), static_cast<floe_kind>(k), detail::in_ms(t), &id),
            "attach");
    return database(c_.get(), id);
  }
  /// Nothing if no database of this name is attached.
  std::optional<database> find(const std::string& name, limit t = usual) const {
    floe_db id = 0;
    const int result = floe_find(c_.get(), name.c_str(), detail::in_ms(t), &id, nullptr);
    if (result == FLOE_ENOENT) return {};
    checked(result, "look for a database");
    return database(c_.get(), id);
  }

  /// One handler for a number; an empty one ends it. Runs within process(), which passes on what it throws.
  void listen(std::uint64_t srvid, on_message handler) {
    if (!handler) {
      checked(floe_listen(c_.get(), srvid, nullptr, nullptr), "stop listening");
      handlers_->of_messages.erase(srvid);
      return;
    }
    handlers_->of_messages[srvid] = std::move(handler);
    const int result = floe_listen(c_.get(), srvid, &handlers::message_came, handlers_.get());
    if (result < 0) handlers_->of_messages.erase(srvid);
    checked(result, "listen");
  }
  /// To one node, or FLOE_ALL, FLOE_ACTIVE, FLOE_CONNECTED. Nobody answers.
  void send(std::uint32_t pnn, std::uint64_t srvid, std::string_view data) const {
    checked(floe_send(c_.get(), pnn, srvid, data.data(), data.size()), "send");
  }
  /// How far recoveries are on this node, so that a program can say why it waits. Runs within process().
  void watch_recoveries(on_recovery handler) {
    handlers_->of_recoveries = std::move(handler);
    checked(floe_watch_recoveries(c_.get(),
                                  handlers_->of_recoveries ? &handlers::recovery_went_on : nullptr,
                                  handlers_.get()),
            "watch recoveries");
  }
  /// Runs handlers for all that has come, waiting up to `t` for the first; how many.
  int process(limit t = limit(0)) {
    const int count = floe_process(c_.get(), detail::in_ms(t));
    if (auto thrown = std::exchange(handlers_->thrown, nullptr)) std::rethrow_exception(thrown);
    return checked(count, "wait for messages");
  }

  /// Of FLOE_ALL, FLOE_CONNECTED or FLOE_ACTIVE, as this node sees them.
  std::vector<std::uint32_t> nodes(std::uint32_t which = FLOE_ACTIVE, limit t = usual) const {
    std::vector<std::uint32_t> pnns(64);
    for (;;) {
      std::size_t count = 0;
      checked(floe_nodes(c_.get(), which, detail::in_ms(t), pnns.data(), pnns.size(), &count),
              "ask for the nodes");
      const bool had_room = count <= pnns.size();
      pnns.resize(count);
      if (had_room) return pnns;
    }
  }
  /// As floe_process_exists.
  bool process_exists(std::uint32_t pnn, std::int32_t pid, std::uint64_t srvid = 0,
                      limit t = usual) const {
    const int result = floe_process_exists(c_.get(), pnn, pid, srvid, detail::in_ms(t));
    if (result == FLOE_ENOENT) return false;
    checked(result, "ask for a process");
    return true;
  }
  /// A control of the protocol by its number, to one node: the answer's data.
  std::string control(std::uint32_t pnn, std::uint32_t opcode, std::string_view data = {},
                      std::uint64_t srvid = 0, limit t = usual) const {
    floe_value v{};
    auto octets = detail::taken(floe_control(c_.get(), pnn, opcode, srvid, data.data(), data.size(),
                                             detail::in_ms(t), nullptr, &v),
                                v, "control");
    return octets.value_or(std::string());
  }

 private:
  struct disconnects {
    void operator()(floe_connection* c) const noexcept { floe_disconnect(c); }
  };
  /// Stays where it is when the connection is moved; no exception goes through the library.
  struct handlers {
    std::map<std::uint64_t, on_message> of_messages;
    on_recovery of_recoveries;
    std::exception_ptr thrown;

    template <class Work>
    void guarded(Work work) noexcept {
      try {
        if (!thrown) work();
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    static void message_came(std::uint64_t srvid, std::uint32_t from, const void* data,
                             std::size_t size, void* self) {
      auto& h = *static_cast<handlers*>(self);
      h.guarded([&] {
        const auto found = h.of_messages.find(srvid);
        if (found == h.of_messages.end()) return;
        const auto handler = found->second;  // may end its own listening
        handler({srvid, from, std::string_view(data ? static_cast<const char*>(data) : "", size)});
      });
    }
    static void recovery_went_on(floe_db db, floe_phase phase, int recovering, void* self) {
      auto& h = *static_cast<handlers*>(self);
      h.guarded([&] {
        const auto handler = h.of_recoveries;
        if (handler) handler(db, phase, recovering != 0);
      });
    }
  };
  std::unique_ptr<handlers> handlers_;  // outlives the connection, which may still call it
  std::unique_ptr<floe_connection, disconnects> c_;
};

}  // namespace floe
#endif
