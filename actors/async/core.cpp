#include "actors/async/core.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "protocol/messages.hpp"
#include "protocol/record_status.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::async::inside {
namespace {

constexpr duration longest = std::chrono::hours(24 * 365);
constexpr duration attach_patience = std::chrono::seconds(60);

/// Of a node's directory or of its socket.
std::string socket_of(const std::string& where) {
  struct stat s {};
  const bool directory = ::stat(where.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
  return directory ? where + "/run/ctdbd.socket" : where;
}

errc code_of(const client_error& e, about a) {
  switch (e.code) {
    case client_errc::not_connected: return errc::not_connected;
    case client_errc::timed_out: return errc::timed_out;
    case client_errc::disconnected: return errc::disconnected;
    case client_errc::bad_reply: return errc::bad_reply;
    case client_errc::refused: break;
  }
  if (a == about::records) switch (e.status) {
      case record_status_not_held: return errc::no_lock;
      case record_status_storage: return errc::not_stored;
      case record_status_unknown_db: return errc::no_database;
      default: break;
    }
  return errc::refused;
}

recovery_change as_public(const database_news& d, bool recovering) {
  return {.db = number(d.db_id),
          .recovering = recovering,
          .phase = static_cast<async::phase>(d.phase),
          .generation = number(d.generation)};
}

}  // namespace

async::error as_public(const client_error& e, about a) {
  return {.code = code_of(e, a), .status = e.status, .node = number(e.node), .text = e.text};
}

duration patience_of(limit t) {
  if (t >= std::chrono::duration_cast<limit>(longest)) return longest;
  return std::max(duration{0}, duration(t));
}

floe::pnn one_node(std::uint32_t n) {
  const floe::pnn p{n};
  if (is_broadcast(p)) throw std::invalid_argument("one node is asked, not a broadcast address");
  return p;
}

void check_key(std::string_view key) {
  if (key.empty()) throw std::invalid_argument("a key has at least one octet");
  check_data(key);
}

void check_data(std::string_view data) {
  if (data.size() > most_of_a_request)
    throw std::invalid_argument("larger than what a node takes: " + std::to_string(data.size()) +
                                " octets of at most " + std::to_string(most_of_a_request));
}

core::core() : net(socket_network(loop)), wire(loop, *net) {}

core::~core() {
  gone_ = true;
  if (loop.is_void()) return;
  close();
  loop.write_out();  // that the memory which the node has lent is given back
}

// --- turns -------------------------------------------------------------------------------------------------------

void core::begin_turns() {
  if (loop.is_void())
    throw std::logic_error("this floe::async::client was made before a fork, by the parent");
  if (depth != 0) throw std::logic_error("a callback of floe::async runs the loop that runs it");
  depth = 1;
  told_ = 0;
}

void core::end_turns() {
  depth = 0;
  if (!gone_) loop.arm();
  if (auto e = std::exchange(thrown_, nullptr)) std::rethrow_exception(e);
}

std::size_t core::process() {
  const auto keep = shared_from_this();
  begin_turns();
  try {
    loop.turn(loop.now());
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
  }
  end_turns();
  return told_;
}

bool core::serve(const std::function<bool()>& over, time_point until) {
  const auto keep = shared_from_this();
  begin_turns();
  bool is_over = false;
  try {
    for (;;) {
      if (gone_) break;
      if ((is_over = over && over())) break;
      if (stopping_.exchange(false) || loop.now() >= until) break;
      loop.turn(until);
      if (thrown_) break;
    }
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
  }
  end_turns();
  return is_over;
}

bool core::serve(time_point until) {
  const auto keep = shared_from_this();
  serve(nullptr, until);
  return loop.now() >= until;
}

void core::stop() {
  stopping_ = true;
  loop.nudge();
}

void core::end() {
  gone_ = true;
  loop.leave();
}

// --- the connection ----------------------------------------------------------------------------------------------

void core::connect(options o, events e) {
  close();
  events_ = std::make_shared<const events>(std::move(e));
  wire.connect({.socket = socket_of(o.where),
                .reconnect = o.reconnect,
                .reconnect_pause = patience_of(o.pause),
                .hello_timeout = patience_of(o.hello),
                .record_tables = o.record_tables},
               {.connected = [this](floe::pnn p) { is_up(p); },
                .disconnected =
                    [this](const client_error& why) {
                      ++life;
                      tell([e = events_, why = as_public(why, about::anything)] {
                        if (e->disconnected) e->disconnected(why);
                      });
                    }});
  touch();
}

/// Requests that are under way end here, and their callbacks come later.
void core::close() {
  ++life;
  in_call_ = true;
  loop.write_out();  // what was sent before is sent
  wire.close();
  in_call_ = false;
  touch();
}

void core::is_up(floe::pnn self) {
  ++life;
  if (!attached.empty()) return attach_again(self);
  tell([e = events_, self] {
    if (e->connected) e->connected(number(self));
  });
}

/// A node that was started anew knows volatile databases only if others have them.
void core::attach_again(floe::pnn self) {
  const auto left = std::make_shared<std::size_t>(attached.size());
  const auto databases = attached;
  for (const auto& [name, what] : databases)
    floe::attach(wire, name, what.first, attach_patience,
                 [this, left, self, mine = life](const floe::result<db_id>&) {
                   if (--*left > 0 || life != mine || !wire.connected()) return;
                   tell([e = events_, self] {
                     if (e->connected) e->connected(number(self));
                   });
                 });
}

when_done<void> core::answer(done<void> d, about a) {
  return [weak = weak_from_this(), d = std::move(d), a](const floe::result<void>& r) mutable {
    const auto c = weak.lock();
    if (!c || !d) return;
    auto value = r ? async::result<void>() : async::result<void>(as_public(r.error(), a));
    c->tell([d = std::move(d), value = std::move(value)]() mutable { d(std::move(value)); });
  };
}

// --- recoveries --------------------------------------------------------------------------------------------------

/// Registered anew also for a second handler, so that the node says what is so now.
void core::watch_recoveries(std::function<void(const recovery_change&)> handler, limit t,
                            done<void> d) {
  unwatch_recoveries();
  recoveries = std::make_shared<recovery_state>();
  recoveries->handler = std::move(handler);
  wire.listen(
      floe::message::floe_recovery_news,
      [this](const client_message& m) { heard_of_recoveries(m.data); }, patience_of(t),
      answer(std::move(d)));
  touch();
}

void core::unwatch_recoveries() {
  if (!std::exchange(recoveries, nullptr)) return;
  wire.unlisten(floe::message::floe_recovery_news);
  touch();
}

void core::heard_of_recoveries(byte_view data) {
  const auto news = wire::decode<recovery_news>(data);
  const auto state = recoveries;
  if (!news || !state) return;  // of anybody who sends to this srvid
  const bool active = news->active != 0;
  std::vector<recovery_change> changes;
  if (!std::exchange(state->told, true) || std::exchange(state->recovering, active) != active ||
      news->whole)
    changes.push_back({.db = 0, .recovering = active, .phase = async::phase::serving});
  state->recovering = active;
  auto ended = news->whole ? std::exchange(state->waiting, {}) : std::map<db_id, recovery_change>();
  for (const auto& d : news->databases) {
    if (d.phase > database_phase::exchanging) continue;  // of a later version, or of anybody
    ended.erase(d.db_id);
    changes.push_back(as_public(d, active));
    if (d.phase == database_phase::serving)
      state->waiting.erase(d.db_id);
    else
      state->waiting[d.db_id] = changes.back();
  }
  for (auto& [db, was] : ended) {
    was.phase = async::phase::serving;
    was.recovering = active;
    changes.push_back(was);
  }
  for (const auto& change : changes)
    tell([state, change] {
      if (state->handler) state->handler(change);
    });
}

}  // namespace floe::async::inside
