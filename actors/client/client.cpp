#include "actors/client/client.hpp"

#include <unistd.h>

#include <cassert>
#include <map>
#include <utility>

#include "actors/client/client_tables.hpp"
#include "actors/net/network.hpp"
#include "protocol/constants.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {
namespace {

/// Clients put no epoch into their packets.
constexpr generation no_generation{0};
constexpr duration registration_patience = std::chrono::seconds(10);

reply_handler without_value(std::function<void(const result<void>&)> done) {
  return [done = std::move(done)](const result<client_reply>& r) {
    if (!done) return;
    if (r)
      done({});
    else
      done(std::unexpected(r.error()));
  };
}

}  // namespace

struct client::state : std::enable_shared_from_this<client::state> {
  state(event_loop& l, network& n) : loop(l), net(n) {}

  using handler = std::function<void(const client_message&)>;
  using tunnel_handler = std::function<void(const client_tunnel_packet&)>;

  event_loop& loop;
  network& net;
  client_options options;
  client_events events;
  std::shared_ptr<floe::connection> stream;
  bool established = false;  ///< the stream is up; the node's number may be unknown yet
  bool ready = false;        ///< the node's number is known
  pnn self = pnn::unknown;
  request_table requests;
  timer_id alarm{0};
  std::optional<time_point> alarm_at;
  timer_id retry{0};
  std::unordered_map<std::uint64_t, std::shared_ptr<handler>> handlers;
  std::unordered_map<std::uint64_t, std::shared_ptr<tunnel_handler>> tunnels;
  std::unique_ptr<client_tables> tables;
  std::map<std::uint64_t, std::function<void(const client_error&)>> loss_watchers;
  std::uint64_t last_watcher = 0;

  void open() {
    const auto weak = weak_from_this();
    stream = net.connect_local(
        options.socket, {.max_unsent = std::size_t{1} << 30, .between_nodes = false},
        {.up =
             [weak] {
               if (auto s = weak.lock()) s->greet();
             },
         .packet =
             [weak](frame raw) {
               if (auto s = weak.lock()) s->receive(raw);
             },
         .along = along(),
         .down =
             [weak](close_reason why) {
               if (auto s = weak.lock())
                 s->lose({s->established ? client_errc::disconnected : client_errc::not_connected,
                          0, std::move(why.text), pnn::current});
             }});
  }

  std::function<void(descriptors_ptr)> along() {
    if (!tables) return nullptr;
    return [weak = weak_from_this()](descriptors_ptr d) {
      if (auto s = weak.lock()) s->tables->arrived(std::move(d));
    };
  }

  /// A process that lives on after its connection says that it has given up the memory that it shared with the node: what
  /// it held there can be used again. (A simulated client has no process of its own.)
  void leave_tables() {
    if (!tables || !stream || !ready || loop.is_simulated()) return;
    const auto mapped = tables->mapped();
    for (const auto db : mapped) {
      const auto request =
          encode_request<floe::control::record_table>({.db_id = db, .flags = record_table_leave});
      auto packet = std::make_shared<const bytes>(
          encode_packet({.gen = no_generation, .dest = pnn::current, .src = self, .id = reqid{0}},
                        req_control{.opcode = floe::control::record_table,
                                    .flags = control_flag::noreply,
                                    .data = request}));
      const bool last = db == mapped.back();
      stream->send(std::move(packet), last ? task([s = stream] { s->close(); }) : task(nullptr));
    }
    tables->disconnected({client_errc::disconnected, 0, "closed", pnn::current});
    if (!mapped.empty()) stream = nullptr;
  }

  void greet() {
    established = true;
    send_control(pnn::current, floe::control::get_pnn, {}, {}, options.hello_timeout,
                 [this](const result<client_reply>& r) {
                   if (!r) {
                     if (r.error().code == client_errc::disconnected) return;  // reported already
                     client_error why = r.error();
                     if (why.code == client_errc::timed_out) why.text = "the node does not answer";
                     return lose(std::move(why));
                   }
                   self = pnn{static_cast<std::uint32_t>(r->status)};
                   ready = true;
                   for (const auto& [id, h] : handlers) renew(floe::control::register_srvid, id);
                   for (const auto& [id, h] : tunnels) renew(floe::control::tunnel_register, id);
                   if (events.connected) events.connected(self);
                 });
  }

  void lose(client_error why) {
    auto keep = shared_from_this();
    drop();
    requests.fail_all({client_errc::disconnected, 0, why.text, pnn::current});
    if (tables) tables->disconnected({client_errc::disconnected, 0, why.text, pnn::current});
    rearm();
    for (auto& [id, lost] : std::exchange(loss_watchers, {})) lost(why);
    if (events.disconnected) events.disconnected(why);
    if (options.reconnect && !stream && retry == timer_id{0})
      retry = loop.after(options.reconnect_pause, [weak = weak_from_this()] {
        if (auto s = weak.lock()) {
          s->retry = timer_id{0};
          s->open();
        }
      });
  }

  void drop() {
    if (stream) stream->close();
    stream = nullptr;
    established = ready = false;
    self = pnn::unknown;
    loop.cancel(retry);
    retry = timer_id{0};
  }

  void receive(const frame& raw) {
    const auto p = decode_packet(*raw);
    if (!p) return lose({client_errc::bad_reply, 0, p.error().text(), pnn::current});
    if (const auto* m = std::get_if<req_message>(&p->body)) return deliver(raw, *p, *m);
    if (const auto* t = std::get_if<req_tunnel>(&p->body)) return deliver(raw, *t);
    requests.answer(raw, *p);
    rearm();
  }

  void deliver(const frame& raw, const packet& p, const req_message& m) {
    auto i = handlers.find(number(m.srvid));
    if (i == handlers.end()) i = handlers.find(~std::uint64_t{0});
    if (i == handlers.end()) return;
    auto h = i->second;  // the handler may remove itself
    (*h)({raw, p.header.src, m.srvid, m.data});
  }

  void deliver(const frame& raw, const req_tunnel& t) {
    const auto i = tunnels.find(t.tunnel_id);
    if (i == tunnels.end()) return;
    auto h = i->second;  // the handler may close the tunnel
    (*h)({raw, t.tunnel_id, t.flags, t.data});
  }

  void send(pnn to, reqid id, const packet_body& body) {
    stream->send(std::make_shared<const bytes>(
        encode_packet({.gen = no_generation, .dest = to, .src = self, .id = id}, body)));
  }

  void fail_soon(pnn to, reply_handler done) {
    loop.post([weak = weak_from_this(), to, done = std::move(done)] {
      if (weak.lock()) done(std::unexpected(client_error{client_errc::not_connected, 0, {}, to}));
    });
  }

  /// The node would end the connection, and with it all that is under way.
  void refuse_soon(pnn to, std::size_t size, reply_handler done) {
    loop.post([weak = weak_from_this(), to, size, done = std::move(done)] {
      if (weak.lock())
        done(std::unexpected(client_error{client_errc::refused, 0,
                                          "larger than what a node takes: " + std::to_string(size) +
                                              " octets of at most " +
                                              std::to_string(most_of_a_request),
                                          to}));
    });
  }

  void send_control(pnn to, floe::control opcode, byte_view data, request_options o,
                    duration patience, reply_handler done) {
    if (!established) return fail_soon(to, std::move(done));
    if (data.size() > most_of_a_request) return refuse_soon(to, data.size(), std::move(done));
    const reqid id = requests.add(to, loop.now() + patience, std::move(done), std::move(o.late));
    send(to, id, req_control{.opcode = opcode, .srvid = o.srvid, .flags = o.flags, .data = data});
    rearm();
  }

  void renew(floe::control registration, std::uint64_t id) {
    send_control(pnn::current, registration, {}, {.srvid = floe::srvid{id}}, registration_patience,
                 [](const result<client_reply>&) {});
  }

  /// One timer for all deadlines. It is only ever moved forward in time: most requests end long
  /// before theirs.
  void rearm() {
    const auto next = requests.next_deadline();
    if (!next || (alarm_at && *alarm_at <= *next)) return;
    loop.cancel(alarm);
    alarm_at = next;
    const auto left = *next - loop.now();
    alarm = loop.after(left > duration{0} ? left : duration{0}, [weak = weak_from_this()] {
      auto s = weak.lock();
      if (!s) return;
      s->alarm_at.reset();
      s->requests.expire(s->loop.now());
      s->rearm();
    });
  }
};

client_error explain_refusal(client_error e, control opcode) {
  const auto* row = find_control(opcode);
  if (e.code == client_errc::refused && e.text.empty() && row && row->is(control_trait::own))
    e.text = "it does not know " + bytes(row->name) + ": no floe node";
  return e;
}

client::client(event_loop& loop, network& net) : state_(std::make_shared<state>(loop, net)) {}

client::~client() {
  state_->events = {};
  state_->options.reconnect = false;
  state_->requests.clear();
  state_->loss_watchers.clear();
  if (state_->tables) state_->tables->forget();
  state_->leave_tables();
  state_->drop();
  state_->loop.cancel(state_->alarm);
}

void client::connect(client_options o, client_events e) {
  state_->drop();
  state_->options = std::move(o);
  state_->events = std::move(e);
  if (state_->options.record_tables && !state_->tables)
    state_->tables = std::make_unique<client_tables>();
  state_->open();
}

void client::close() {
  state_->options.reconnect = false;
  state_->events = {};
  state_->leave_tables();
  state_->lose({client_errc::disconnected, 0, "closed", pnn::current});
}

bool client::connected() const { return state_->ready; }
client_tables* client::tables() { return state_->tables.get(); }
pnn client::self() const { return state_->self; }
event_loop& client::loop() const { return state_->loop; }
std::size_t client::outstanding() const { return state_->requests.size(); }

void client::send_control(pnn to, floe::control opcode, bytes data, duration patience,
                          reply_handler done, request_options o) {
  assert(!is_broadcast(to) && "nobody answers a broadcast");
  if (!state_->ready) return state_->fail_soon(to, std::move(done));
  state_->send_control(to, opcode, data, std::move(o), patience, std::move(done));
}

void client::later(duration d, task t) {
  state_->loop.after(d, [weak = std::weak_ptr(state_), t = std::move(t)] {
    if (weak.lock()) t();
  });
}

std::uint64_t client::watch_loss(std::function<void(const client_error&)> lost) {
  state_->loss_watchers.emplace(++state_->last_watcher, std::move(lost));
  return state_->last_watcher;
}
void client::unwatch_loss(std::uint64_t id) { state_->loss_watchers.erase(id); }

std::weak_ptr<const void> client::alive() const { return state_; }

std::int32_t client::process() const {
  return state_->options.process.value_or(static_cast<std::int32_t>(::getpid()));
}

void client::send_control_unanswered(pnn to, floe::control opcode, bytes data, floe::srvid srvid) {
  if (!state_->ready) return;
  state_->send(
      to, reqid{0},
      req_control{.opcode = opcode, .srvid = srvid, .flags = control_flag::noreply, .data = data});
}

void client::send_call(const req_call& call, duration patience, reply_handler done) {
  if (!state_->ready) return state_->fail_soon(pnn::current, std::move(done));
  const reqid id =
      state_->requests.add(pnn::current, state_->loop.now() + patience, std::move(done));
  state_->send(pnn::current, id, call);
  state_->rearm();
}

void client::send_message(pnn to, floe::srvid srvid, byte_view data) {
  if (state_->ready) state_->send(to, reqid{0}, req_message{.srvid = srvid, .data = data});
}

void client::listen(floe::srvid srvid, std::function<void(const client_message&)> h,
                    duration patience, std::function<void(const result<void>&)> done) {
  auto& slot = state_->handlers[number(srvid)];
  const bool first = !slot;
  slot = std::make_shared<state::handler>(std::move(h));
  const auto tell = without_value(std::move(done));
  if (!first) return later(duration{0}, [tell] { tell(client_reply{}); });
  send_control(pnn::current, floe::control::register_srvid, {}, patience, tell, {.srvid = srvid});
}

void client::unlisten(floe::srvid srvid) {
  if (state_->handlers.erase(number(srvid)) == 0 || !state_->ready) return;
  send_control(pnn::current, floe::control::deregister_srvid, {}, registration_patience,
               [](const result<client_reply>&) {}, {.srvid = srvid});
}

void client::open_tunnel(std::uint64_t id, std::function<void(const client_tunnel_packet&)> h,
                         duration patience, std::function<void(const result<void>&)> done) {
  auto& slot = state_->tunnels[id];
  const bool first = !slot;
  slot = std::make_shared<state::tunnel_handler>(std::move(h));
  auto tell = without_value(std::move(done));
  if (!first) return later(duration{0}, [tell = std::move(tell)] { tell(client_reply{}); });
  const auto registered = [s = std::weak_ptr(state_), h = std::weak_ptr(slot), id,
                           tell = std::move(tell)](const result<client_reply>& r) {
    // another client's: nothing to renew
    if (const auto self = s.lock(); self && !r && r.error().code == client_errc::refused &&
                                    self->tunnels.contains(id) && self->tunnels[id] == h.lock())
      self->tunnels.erase(id);
    tell(r);
  };
  send_control(pnn::current, floe::control::tunnel_register, {}, patience, registered,
               {.srvid = floe::srvid{id}});
}

void client::close_tunnel(std::uint64_t id) {
  if (state_->tunnels.erase(id) == 0 || !state_->ready) return;
  send_control(pnn::current, floe::control::tunnel_deregister, {}, registration_patience,
               [](const result<client_reply>&) {}, {.srvid = floe::srvid{id}});
}

void client::send_tunnel(pnn to, std::uint64_t id, std::uint32_t flags, byte_view data) {
  assert(!is_broadcast(to) && to != pnn::current && "nodes drop such packets");
  if (state_->ready)
    state_->send(to, reqid{0}, req_tunnel{.tunnel_id = id, .flags = flags, .data = data});
}

}  // namespace floe
