#pragma once
/// What a floe::async::client, its locks and its transactions share: the loop, the internal client on it (actors/client), and
/// the way to the program's callbacks.
///
/// Everything that the program is told goes through `tell`: not when the program's client is gone, not inside one of the
/// program's calls, and what it throws comes out of process() or a run function. A core lives until the program's client is
/// gone and no turn of the loop is on the stack any more, so that callbacks may destroy the client.
#include <atomic>
#include <exception>
#include <floe/async/client.hpp>
#include <map>
#include <memory>

#include "actors/async/embedded_loop.hpp"
#include "actors/client/client.hpp"
#include "actors/client/records.hpp"
#include "actors/client/transaction.hpp"
#include "actors/net/network.hpp"
#include "protocol/types/recovery_news.hpp"

namespace floe::async::inside {

/// Whose statuses an error has: those of record controls mean something special.
enum class about : std::uint8_t { anything, records };
async::error as_public(const client_error&, about);
/// Of a limit: neither negative nor so long that clocks overflow.
duration patience_of(limit);
floe::pnn one_node(std::uint32_t);
/// Throw std::invalid_argument for what no node takes.
void check_key(std::string_view);
void check_data(std::string_view);

/// How far recoveries are, as the own node tells.
struct recovery_state {
  std::function<void(const recovery_change&)> handler;
  bool told = false, recovering = false;
  std::map<db_id, recovery_change> waiting;
};

struct core : std::enable_shared_from_this<core> {
  core();
  ~core();
  core(const core&) = delete;

  std::size_t process();
  /// Until it is over, late, stopped, or a callback has thrown: whether it is over.
  bool serve(const std::function<bool()>& over, time_point until);
  /// False if it was stopped.
  bool serve(time_point until);
  void stop();
  /// The program's client is gone.
  void end();
  bool is_connected() const { return wire.connected() && !loop.is_void(); }
  /// After a call of the program's that has started something.
  void touch() {
    if (depth == 0) loop.nudge();
  }

  void connect(options, events);
  void close();
  void watch_recoveries(std::function<void(const recovery_change&)>, limit, done<void>);
  void unwatch_recoveries();

  template <class Call>
  void tell(Call call);
  /// What is known at once, in one of the program's calls.
  template <class Call>
  void tell_later(Call call);
  /// What the internal client calls when it is done: converts the value, and tells.
  template <class Public, class Internal, class Convert>
  when_done<Internal> answer(done<Public> d, about a, Convert convert);
  when_done<void> answer(done<void> d, about a = about::anything);

  async_inside::embedded_loop loop;
  std::unique_ptr<network> net;
  floe::client wire;
  std::uint64_t life = 0;  ///< counts connections: a lock is good for one
  std::map<std::string, std::pair<db_kind, std::uint32_t>> attached;  ///< with their ids
  std::shared_ptr<recovery_state> recoveries;                         ///< null: not watching

 private:
  void is_up(floe::pnn);
  void attach_again(floe::pnn);
  void heard_of_recoveries(byte_view);
  void begin_turns();
  void end_turns();

  std::shared_ptr<const events> events_;
  std::atomic<bool> stopping_{false};
  std::exception_ptr thrown_;
  std::size_t told_ = 0;
  int depth = 0;          ///< of turns on the stack: 0 or 1
  bool in_call_ = false;  ///< of the program's, in which callbacks would come
  bool gone_ = false;
};

template <class Call>
void core::tell_later(Call call) {
  loop.post([weak = weak_from_this(), kept = std::make_shared<Call>(std::move(call))] {
    if (const auto c = weak.lock()) c->tell(std::move(*kept));
  });
  touch();
}

template <class Call>
void core::tell(Call call) {
  if (gone_) return;
  if (depth == 0 || in_call_) return tell_later(std::move(call));
  ++told_;
  try {
    call();
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
    loop.leave();
  }
}

template <class Public, class Internal, class Convert>
when_done<Internal> core::answer(done<Public> d, about a, Convert convert) {
  return [weak = weak_from_this(), d = std::move(d), a,
          convert = std::move(convert)](const floe::result<Internal>& r) mutable {
    const auto c = weak.lock();
    if (!c) return;
    auto value =
        r ? async::result<Public>(convert(*r)) : async::result<Public>(as_public(r.error(), a));
    if (d) c->tell([d = std::move(d), value = std::move(value)]() mutable { d(std::move(value)); });
  };
}

inline async::record_header as_public(const floe::record_header& h) {
  return {.rsn = number(h.rsn), .dmaster = number(h.dmaster), .flags = h.flags};
}

}  // namespace floe::async::inside
