#pragma once
/// The queue of one key on one node: who gets the record next, and what happens to the rest meanwhile.
///
///            ┌── peer's, record not promised to us ──► settle: give the record away, or send the packet on
///   front ───┤
///            └── of this node ──┬── record here ──► grant (a lock) or answer (a read, a call)
///                               └── elsewhere ───► ask for it, once; settle peers' requests; wait
///
/// First come, first served, with two exceptions: a request of another node that came while the record is on its way
/// here for us waits behind the first local one; and of local requests that have waited for a record to come here all are
/// served before it leaves, for a while, in their order, whenever others have come. Who gives a record away sends requests
/// of others behind it, in their order, so that the nodes that want it have it in turn. Who only looks at what is here waits for the holder alone. Who wants to
/// write waits until read-only copies are called back (read_only.hpp), and all others behind it. While a record is to stay
/// here (stay.hpp) requests of this node go before those of others. Nothing here stores, sends or waits; the database
/// actor asks for the next step, carries it out, and asks again until the step is to wait.
///
/// What a request of another node meets is decided in migration.hpp.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/ids.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

enum class record_use : std::uint8_t {
  lock,       ///< a local client wants to hold the record
  read,       ///< a local client wants its value
  look,       ///< a local client wants what is here: it waits for the holder alone
  call,       ///< REQ_CALL of a local client
  vacuum,     ///< this node's vacuuming wants it here, to forget it
  peer_call,  ///< REQ_CALL of another node: the record is given away, or the packet sent on
};
std::string_view name(record_use);

/// One that waits, as far as the rules look at it.
struct queued_request {
  record_use use{};
  pnn source{0};  ///< peer_call: the node that wants the record
  pnn from{0};    ///< peer_call: the node that the packet came from
  time_point since{};
  bool read_only = false;  ///< a copy that cannot be written will do
  bool operator==(const queued_request&) const = default;
};

/// Everything else that the next step depends on.
struct queue_state {
  pnn self{0};
  pnn lmaster = pnn::unknown;  ///< of the key, by the present map
  bool thawed = true;
  bool map_applies = true;     ///< migration.hpp
  bool held = false;           ///< a local client holds the record
  std::optional<pnn> asked{};  ///< a request of ours for the record is under way: where it was sent
  bool asked_for_copy = false;  ///< it asks for a read-only copy
  bool calling_back = false;    ///< read-only copies of our record are being called back
  time_point
      stays_until{};  ///< requests of other nodes wait until then for a record that is here (stay.hpp)
  std::optional<record_header> local{};  ///< this node's copy
  /// When the record came here for the requests that waited for it; nothing: it has been here all the time.
  std::optional<time_point> came{};
  time_point now{};
  duration
      hold_back{};  ///< so long a peer's request may wait for a record that is on its way to us
  bool operator==(const queue_state&) const = default;
};

enum class queue_action : std::uint8_t {
  wait,    ///< nothing more to do until something changes
  settle,  ///< take the request of a peer out of the queue and do what migration.hpp says
  grant,   ///< take the front out of the queue: it holds the record now
  answer,  ///< take the front out of the queue and answer it: it holds nothing
};
std::string_view name(queue_action);

/// To be carried out from top to bottom.
struct queue_step {
  std::size_t first = 0;      ///< the request with this number comes to the front
  pnn ask = pnn::unknown;     ///< a migration request is to be sent to this node
  bool ask_for_copy = false;  ///< it asks for a read-only copy
  bool call_back = false;     ///< read-only copies have to be called back first: then again
  bool stays = false;         ///< the record is kept from other nodes: at `stays_until` again
  queue_action action{};
  std::size_t which = 0;  ///< of the queue as it is then: the request that the action is about
  bool operator==(const queue_step&) const = default;
};

/// The next step of a queue. Aborts if the record is held and asked for at once: who holds it owns it.
queue_step next_step(const queue_state&, std::span<const queued_request>);

/// So long those that waited for a record to come are served before others: many of them at the usual pace, and no other
/// node waits for one that is slow.
inline constexpr duration share_of_waiters = std::chrono::milliseconds(20);
/// Whether a local request has waited for a record that has come here since, and is served before it leaves.
bool is_served_first(const queued_request&, const std::optional<time_point>& came, time_point now);

/// Whom a request of `source` is sent on to, which by migration.hpp would go to `otherwise`. We may have given the record
/// away just now, to a node that waits for it and knows what this means: then it goes after the record, and not by way of the
/// lmaster. `given_to` is unknown if we have not, or to another kind of node.
pnn sent_on_to(pnn otherwise, pnn given_to, const record_header& local, pnn source);

/// Whether a request that the lmaster sent here has to wait while our own request for the record is under way: the
/// lmaster already counts us as the owner, the record will be here in a moment, and to send the request back would make
/// it bounce. The same if it was sent after the record by whoever has given that to us, whom only that brings to send on
/// what he was asked to anybody but the lmaster. The same at the lmaster itself, which asked before and is served before. Not if its request went to a node
/// that has given the record away since: that node may wait for the record, too, and each would hold back the other's.
bool held_for_us(const queue_state&, const queued_request&);

/// A request of ours that has not been answered.
struct pending_request {
  pnn to{0};
  time_point sent{};
  bool wanted = true;  ///< somebody still waits for it
};

enum class pending_action : std::uint8_t {
  keep,
  forget,     ///< nobody waits for it any more; if the record still comes it is stored
  ask_again,  ///< under a new number, `to`
  arrived,    ///< the record is ours already
};
std::string_view name(pending_action);

struct pending_step {
  pending_action action{};
  pnn to = pnn::unknown;
  bool operator==(const pending_step&) const = default;
};

/// Once a second: what has waited for longer than `resend_after` was lost, or met a node that could not serve it.
pending_step at_tick(const queue_state&, const pending_request&, duration resend_after);
/// At the thaw: whatever was asked in the generation before is dropped by whom it met.
pending_step at_thaw(const queue_state&);

}  // namespace floe
