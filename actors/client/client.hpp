#pragma once
/// A client of a node: connects to its Unix socket, learns the node's number, and from then on
/// sends any number of requests at once, each with a deadline of its own.
///
///   client c(loop, net);
///   c.connect({.socket = "/run/ctdbd.socket"}, {.connected = [&](pnn self) {
///     c.control<control::getvnnmap>(pnn::current, {}, 3s, [](const auto& map) { ... });
///   }});
///
/// Callbacks run on the loop, never inside the call that started them, and not at all once the
/// client is destroyed. What they are given points into the packet: copy what is to be kept
/// (client_answer keeps the packet alive). Belongs to the loop's thread. Works with the Unix
/// sockets of floe and of Samba's ctdbd, and in simulations.
///
/// A broken connection ends every outstanding request with client_errc::disconnected and takes this
/// client's record locks with it; with `reconnect` the client tries again for ever and renews its
/// message registrations.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/client/request_table.hpp"
#include "actors/runtime/event_loop.hpp"
#include "protocol/controls.hpp"
#include "protocol/framing.hpp"
#include "protocol/types/basic.hpp"

namespace floe {

class client_tables;
class network;

/// Data of one request: a node ends the connection of who sends a larger packet than it takes.
inline constexpr std::size_t most_of_a_request = framing_policy{}.max_packet - 256;

struct client_options {
  std::string socket{};
  bool reconnect = false;
  duration reconnect_pause = std::chrono::milliseconds(200);
  duration hello_timeout = std::chrono::seconds(10);  ///< for the first answer of the node
  /// As whom the node sees us; without it this process. For simulations, which have none.
  std::optional<std::int32_t> process{};
  /// Records of volatile databases are locked, read and stored in shared memory where the node lends it (actors/table).
  bool record_tables = false;
};

struct client_events {
  /// The connection is up, the node's number is known. Again after each reconnect.
  std::function<void(pnn)> connected{};
  /// It broke, or could not be made (code not_connected, or timed_out if the node does not say its
  /// number).
  std::function<void(const client_error&)> disconnected{};
};

/// A decoded answer and the packet that it points into.
template <class T>
struct client_answer {
  frame raw;
  std::int32_t status = 0;  ///< not negative; some controls return a value here
  T value{};
};

struct client_message {
  frame raw;
  pnn from;  ///< the node that delivered it
  floe::srvid srvid;
  byte_view data;
};

/// A packet of a tunnel. Nodes tell a receiver neither who sent it nor its request id: what has to be known of these is part
/// of the data.
struct client_tunnel_packet {
  frame raw;
  std::uint64_t tunnel;
  std::uint32_t flags;  ///< tunnel_flag bits
  byte_view data;
};

struct request_options {
  floe::srvid srvid{0};     ///< argument of controls that are by_srvid
  std::uint32_t flags = 0;  ///< control_flag bits, NOREPLY excepted
  reply_handler late = {};  ///< for an answer after the deadline
};

/// Says of a refusal without words what it must mean.
client_error explain_refusal(client_error, control);

/// The typed form of an untyped answer.
template <control C>
result<client_answer<reply_of<C>>> decode_answer(const result<client_reply>& r, pnn from) {
  if (!r) return std::unexpected(explain_refusal(r.error(), C));
  auto value = decode_reply<C>(r->data);
  if (value) return client_answer<reply_of<C>>{r->raw, r->status, std::move(*value)};
  // a positive status without data is how some controls say no
  const auto code = r->status != 0 ? client_errc::refused : client_errc::bad_reply;
  return std::unexpected(client_error{code, r->status, value.error().text(), from});
}

class client {
 public:
  client(event_loop&, network&);
  ~client();
  client(const client&) = delete;

  void connect(client_options, client_events);
  /// Ends the connection and all outstanding requests; no event follows.
  void close();
  bool connected() const;
  /// Of the node; pnn::unknown before it is known.
  pnn self() const;
  event_loop& loop() const;
  std::size_t outstanding() const;
  /// Runs the task on the loop after a while, unless the client is destroyed by then.
  void later(duration, task);
  /// Once, should the connection break or be closed before `unwatch_loss`: for what waits for messages, which no request ends.
  /// Called after outstanding requests have ended, before the event `disconnected`.
  std::uint64_t watch_loss(std::function<void(const client_error&)>);
  void unwatch_loss(std::uint64_t);
  /// Ends with the client: for what may outlive it.
  std::weak_ptr<const void> alive() const;
  /// The process id that the node knows this client by.
  std::int32_t process() const;
  /// Null without `record_tables`.
  client_tables* tables();

  /// Any control to any one node. Broadcast addresses need send_control_unanswered: nodes answer
  /// none of them.
  void send_control(pnn to, floe::control opcode, bytes data, duration patience, reply_handler done,
                    request_options = {});
  /// With NOREPLY. Nothing is known of its fate.
  void send_control_unanswered(pnn to, floe::control opcode, bytes data,
                               floe::srvid = floe::srvid{0});
  template <floe::control C>
  void control(pnn to, const request_of<C>& request, duration patience,
               std::function<void(const result<client_answer<reply_of<C>>>&)> done,
               request_options o = {}) {
    send_control(
        to, C, encode_request<C>(request), patience,
        [to, done = std::move(done)](const result<client_reply>& r) {
          done(decode_answer<C>(r, to));
        },
        std::move(o));
  }

  /// REQ_CALL to the own node: CTDB's way to a record. The answer's data depend on the callid.
  void send_call(const req_call&, duration patience, reply_handler done);

  /// Data for whoever listens to the srvid on that node, or on many (broadcast addresses). Nobody
  /// answers.
  void send_message(pnn to, floe::srvid, byte_view data);
  /// One handler per srvid; a second one takes the place of the first. `done` when the node knows.
  void listen(floe::srvid, std::function<void(const client_message&)>, duration patience,
              std::function<void(const result<void>&)> done);
  void unlisten(floe::srvid);

  /// Tunnels: packets for whoever has opened the same id on another node, or on this one; one client of a node at a time.
  /// Refused: another has it. Renewed after a reconnect. A second handler for an open tunnel takes the place of the first.
  void open_tunnel(std::uint64_t id, std::function<void(const client_tunnel_packet&)>,
                   duration patience, std::function<void(const result<void>&)> done);
  void close_tunnel(std::uint64_t id);
  /// Through a tunnel that is open here (CTDB's daemons drop others), to one node by its number; nobody answers. `flags`:
  /// tunnel_flag bits, which nodes hand on as they are. What is sent to who has not opened it is lost.
  void send_tunnel(pnn to, std::uint64_t id, std::uint32_t flags, byte_view data);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace floe
