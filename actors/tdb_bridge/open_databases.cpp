#include "actors/tdb_bridge/open_databases.hpp"

#include <fcntl.h>
#include <pthread.h>

#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <new>

#include "actors/tdb_bridge/node_place.hpp"

namespace floe::bridge {
namespace {

constexpr int connect_ms = 30'000;

struct slot {
  std::unique_ptr<bridged_database> database;
};
/// More than any program opens; smbd has about twenty.
constexpr std::size_t most_open = 1024;
slot slots[most_open];

struct process {
  std::mutex m;                                   ///< guards the slots as such, and the nodes
  std::map<std::string, floe_connection*> nodes;  ///< by socket; kept until the process ends

  static process& self() {
    static auto* one = new process;
    return *one;
  }

  floe_connection* node(const std::string& socket) {
    if (const auto i = nodes.find(socket); i != nodes.end()) return i->second;
    floe_connection* made = nullptr;
    // smbd opens its databases as root, but may be another user when it must connect again
    if (floe_connect(socket.c_str(), FLOE_RECONNECT | FLOE_PRIVILEGED | FLOE_COMPANION, connect_ms,
                     &made) != FLOE_OK)
      return nullptr;
    floe_set_patience(made, FLOE_FOREVER);
    return nodes[socket] = made;
  }
};

tdb_context* context_of(slot& s) { return reinterpret_cast<tdb_context*>(&s); }

/// After the client library's own: handlers of children run in the order of their registration.
void watch_forks() {
  static const int registered =
      ::pthread_atfork([] { process::self().m.lock(); }, [] { process::self().m.unlock(); },
                       [] {
                         new (&process::self().m) std::mutex;
                         for (auto& s : slots)
                           if (s.database) s.database->forget_locks();
                       });
  if (registered != 0) throw std::bad_alloc();
}

}  // namespace

bridged_database* ours(tdb_context* t) {
  const auto* at = reinterpret_cast<const slot*>(t);
  if (std::less<>()(at, slots) || !std::less<>()(at, slots + most_open)) return nullptr;
  return at->database.get();
}

open_result open_database(const char* path, int hash_size, int tdb_flags, int open_flags,
                          const tdb_logging_context* log) {
  if (!path || tdb_flags & TDB_INTERNAL) return {};
  const auto place = find_database_place(path);
  if (!place) return {};
  auto& p = process::self();
  const std::lock_guard guard(p.m);
  auto* const node = p.node(place->socket);
  watch_forks();
  open_options w{.path = path,
                 .name = place->name,
                 .hash_size = hash_size > 0 ? hash_size : 131,
                 .tdb_flags = tdb_flags,
                 .only_read = (open_flags & O_ACCMODE) == O_RDONLY};
  if (log) w.log = *log;
  for (auto& s : slots) {
    if (s.database) continue;
    // in its place before it is opened: a log function asks for the context's name
    s.database = std::make_unique<bridged_database>(context_of(s), std::move(w));
    if (s.database->open(node)) return {.for_us = true, .made = context_of(s)};
    const int why = errno;
    s.database.reset();
    errno = why;
    return {.for_us = true};
  }
  errno = EMFILE;
  return {.for_us = true};
}

void close_database(tdb_context* t) {
  const std::lock_guard guard(process::self().m);
  reinterpret_cast<slot*>(t)->database.reset();
}

int touch_all() {
  for (auto& s : slots)
    if (s.database && s.database->touch() != 0) return -1;
  return 0;
}

}  // namespace floe::bridge
