/// Streams, keepalives, and what passes through; link_greeting.cpp has the greeting.
#include "actors/link/link.hpp"
#include "actors/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/link/silence_text.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/feature_level.hpp"

namespace floe {
namespace {

constexpr duration shortest_pause = std::chrono::milliseconds(100);
constexpr duration longest_pause = std::chrono::seconds(1);
/// A node that was refused is not likely to fit soon.
constexpr duration refusal_pause = std::chrono::seconds(5);
/// A connect attempt without result is started again.
constexpr duration connect_patience = std::chrono::seconds(1);

/// A stream of ours that is up while none comes from the peer: nothing is sent on it, so nobody would notice that it is
/// dead.
constexpr duration lonely_patience = std::chrono::seconds(5);
/// A node whose streams have ended has so long to say that it is there. One that is dead refuses, or has been silent
/// before.
constexpr duration doubt_limit = std::chrono::milliseconds(400);
constexpr duration doubt_pause = std::chrono::milliseconds(20);
/// Of streams beside those that are there; a peer that comes back opens one.
constexpr std::size_t accepted_in_a_second = 20;
/// Messages for a peer that does not read are dropped above this many bytes: they promise nothing, and the link would end
/// at four times as much.
constexpr std::size_t messages_dropped_above = 256u << 20;
/// What may come on a stream before it is used.
constexpr std::size_t aside_limit = 64;
/// Keepalives of which it is remembered when they were sent.
constexpr std::size_t most_unanswered = 64;

connection_events stream_events(const address<link_message>& to, std::uint64_t serial,
                                stream_side side) {
  return {.up = [to, serial] { to.tell(link_up{serial}); },
          .packet =
              [to, serial, side](frame f) {
                to.tell(link_packet{serial, side, std::move(f)});
              },
          .down =
              [to, serial](close_reason why) {
                to.tell(link_down{serial, std::move(why.text)});
              }};
}

}  // namespace

connection_events incoming_events(const address<link_message>& link, std::uint64_t serial) {
  return stream_events(link, serial, stream_side::incoming);
}

link::link(node_environment env, link_config config, address<node_message> node)
    : env_(env), config_(std::move(config)), node_(std::move(node)), pause_(shortest_pause) {}

void link::start() { happens(pair_event::open, {}); }

void link::receive(link_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

bool link::current(std::uint64_t serial) const {
  return (out_ && serial == out_serial_) || (in_ && serial == in_serial_);
}

/// The only place where the state of the streams changes.
void link::happens(pair_event e, const break_cause& cause, link_accepted* taken) {
  const bool was_doubted = pair_.doubt;
  const auto s = step(pair_, e);
  pair_ = s.next;
  if (s.close_out) {
    std::exchange(out_, nullptr)->close();
    life_asked_.reset();
  }
  if (s.close_in) std::exchange(in_, nullptr)->close();
  if (s.close_aside) drop_aside();
  if (pair_.now != pair_status::phase::greeting || s.greet) end_greeting();
  if (was_doubted && !pair_.doubt) env_.loop.cancel(doubt_timer_);
  if (s.doubts) begin_doubt(cause);
  if (s.down)
    went_down(was_doubted ? doubted_ : cause,
              e == pair_event::out_refused || (was_doubted && s.up));
  if (s.take_in) {
    in_ = std::move(taken->stream);
    in_serial_ = taken->serial;
  }
  if (s.close_in || s.take_in || s.take_aside) {  // of the stream before
    early_.clear();
    watch_ = {};
  }
  if (s.put_aside) {
    aside_ = std::move(taken->stream);
    aside_serial_ = taken->serial;
    ask(life_asked_, control::get_capabilities);
  }
  if (s.open) open_out();
  if (s.open_later) {
    open_later(s.long_pause ? refusal_pause : pair_.doubt ? doubt_pause : pause_);
    if (!pair_.doubt) pause_ = std::min(pause_ * 2, longest_pause);
  }
  if (pair_.out == out_state::up && pair_.now == pair_status::phase::apart)
    open_later(lonely_patience);
  if (s.greet) greet();
  if (s.up) came_up();
  if (s.relinked) relinked();
  if (s.take_aside) take_aside();
}

void link::went_down(const break_cause& cause, bool ended) {
  env_.loop.cancel(tick_timer_);
  const bool silent = cause.silent > duration{0};
  node_.tell(peer_changed{.who = config_.peer,
                          .connected = false,
                          .why = cause.why,
                          .floe = false,
                          .how = ended    ? loss_kind::ended
                                 : silent ? loss_kind::silent
                                          : loss_kind::broken,
                          .silent = cause.silent});
}

// --- doubt -----------------------------------------------------------------------------------------------------------

void link::begin_doubt(const break_cause& cause) {
  env_.loop.cancel(tick_timer_);
  doubted_ = cause;
  const auto limit =
      doubt_limit_ > duration{0} ? std::exchange(doubt_limit_, duration{0}) : doubt_limit;
  config_.pulse->broken(config_.peer, env_.loop.now());
  doubt_until_ = env_.loop.now() + limit;
  doubt_timer_ =
      env_.loop.after(limit, [to = self(), n = ++doubt_serial_] { to.tell(link_doubt_over{n}); });
  env_.log.tell(event::node_asked_again{.pnn = config_.peer, .why = cause.why});
}

void link::on(link_doubt_over& m) {
  if (m.serial != doubt_serial_ || !pair_.doubt) return;
  // a node that hangs itself judges nobody: its own answers have waited, too
  if (env_.loop.now() - doubt_until_ > doubt_limit) return begin_doubt(doubted_);
  happens(pair_event::doubt_over, doubted_);
}

void link::relinked() {
  node_.tell(peer_relinked{config_.peer, doubted_.why});
  begin_talk(true);
}

/// The first stream has ended; the peer, if it is the peer, has opened another before we knew.
void link::take_aside() {
  in_ = std::move(aside_);
  in_serial_ = aside_serial_;
  life_asked_.reset();
  for (auto& raw : std::exchange(aside_packets_, {})) {
    link_packet p{in_serial_, stream_side::incoming, std::move(raw)};
    on(p);
  }
}

void link::drop_aside() {
  if (aside_) std::exchange(aside_, nullptr)->close();
  aside_packets_.clear();
}

// --- streams ---------------------------------------------------------------------------------------------------------

void link::open_out() {
  out_serial_ += out_serial_ == 0 ? 1 : 2;  // odd: ours; even: the acceptor's
  out_ = env_.net.connect({config_.own.ip, 0}, config_.remote, config_.limits,
                          stream_events(self(), out_serial_, stream_side::outgoing));
  open_later(connect_patience);
}

void link::open_later(duration after) {
  env_.loop.cancel(retry_timer_);
  retry_timer_ = env_.loop.after(after, [to = self(), n = ++attempt_] { to.tell(link_retry{n}); });
}

void link::on(link_retry& m) {
  if (m.attempt != attempt_) return;
  if (pair_.out == out_state::opening) happens(pair_event::out_lost, "no connection in time");
  if (pair_.out == out_state::up && pair_.now == pair_status::phase::apart)
    happens(pair_event::out_lost, "no stream comes from it");
  happens(pair_event::open, {});
}

void link::on(link_nudge&) {
  if (pair_.out == out_state::up) return;
  link_retry now{attempt_};
  on(now);
}

void link::on(link_up& m) {
  if (!out_ || m.serial != out_serial_) return;
  env_.loop.cancel(retry_timer_);
  happens(pair_event::out_up, {});
}

/// Each may cost the pair a greeting or a relink, and anybody on that host can connect.
void link::on(link_accepted& m) {
  if (pair_.now == pair_status::phase::apart && !pair_.doubt)
    return happens(pair_event::accepted, "opened a new connection", &m);
  const auto now = env_.loop.now();
  std::erase_if(accepted_at_, [&](time_point t) { return now - t > std::chrono::seconds(1); });
  if (accepted_at_.size() >= accepted_in_a_second) {
    node_.tell(link_dropped{link_dropped::relink});
    env_.log.tell(event::too_many_connections{.pnn = config_.peer,
                                              .within_a_second = accepted_at_.size() + 1});
    return m.stream->close();
  }
  accepted_at_.push_back(now);
  happens(pair_event::accepted, "opened a new connection", &m);
}

void link::on(link_down& m) {
  if (aside_ && m.serial == aside_serial_) return happens(pair_event::aside_lost, m.why);
  if (!current(m.serial)) return;
  if (!out_ || m.serial != out_serial_) return happens(pair_event::in_lost, m.why);
  const bool nobody = out_->nobody_listens();
  happens(nobody ? pair_event::out_refused : pair_event::out_lost, m.why);
  if (pair_.now == pair_status::phase::apart && std::exchange(absent_, nobody) != nobody)
    node_.tell(peer_absent{config_.peer, nobody});
}

void link::on(link_break& m) { happens(pair_event::violated, m.why); }

void link::came_up() {
  pause_ = shortest_pause;
  refusal_.clear();
  absent_ = false;
  known_incarnation_ = peer_incarnation_;
  const bool floe = *peer_capabilities_ & capability::sorted_pull;
  node_.tell(peer_changed{.who = config_.peer,
                          .connected = true,
                          .why = {},
                          .floe = floe,
                          .level = feature_level_of(*peer_capabilities_)});
  begin_talk(floe);
}

void link::begin_talk(bool floe) {
  watch_.begin(env_.loop.now(), floe);
  config_.pulse->met(config_.peer, env_.loop.now());
  unanswered_.clear();
  for (auto& p : std::exchange(early_, {})) node_.tell(peer_packet{config_.peer, std::move(p)});
  send_keepalive();
  // Three at once say that more will follow as quickly: the peer need not learn it by waiting, should we hang soon.
  if (floe && keepalive_.quick_interval > duration{0})
    for (int more = 0; more < 2; ++more) send_keepalive();
  arm_tick();
}

void link::on(link_packet& m) {
  if (aside_ && m.serial == aside_serial_) {
    aside_packets_.push_back(std::move(m.raw));
    if (aside_packets_.size() > aside_limit) happens(pair_event::aside_lost, {});
    return;
  }
  if (!current(m.serial)) return;
  if (m.side == stream_side::outgoing)
    return happens(pair_event::violated, "sent data on a stream of ours");
  auto content = decode_packet(*m.raw);
  ++env_.count.node_packets_recv;
  if (!content &&
      content.error().why == wire::fault::unknown_operation) {  // of a later version, perhaps
    node_.tell(link_dropped{link_dropped::unknown_operation});
    env_.log.tell(event::operation_unknown{.pnn = config_.peer, .operation = content.error().have});
    return;
  }
  if (!content) {
    ++env_.count.bad_packets;
    return happens(pair_event::violated, "bad packet: " + content.error().text());
  }
  const auto* alive = std::get_if<req_keepalive>(&content->body);
  const auto mark = keepalive_mark_in(number(content->header.id));
  watch_.heard(alive && !(is_floe() && mark.heard != 0), env_.loop.now());
  config_.pulse->heard(config_.peer, env_.loop.now());
  if (alive) {
    ++env_.count.keepalive_packets_recv;
    if (is_floe()) take(mark);
    return judge(*alive);
  }
  pass_on(std::move(m.raw), std::move(*content));
}

void link::on(link_send& m) {
  if (pair_.now != pair_status::phase::connected) {
    // only answers leave before: the peer greets us too
    if (pair_.out != out_state::up) return;
    const auto p = decode_header(*m.packet);
    if (!p || p->op != operation::reply_control) return;
  }
  if (m.packet->size() >
      config_.limits.max_packet) {  // the peer would end the stream; who asked has been told
    node_.tell(link_dropped{link_dropped::too_large});
    env_.log.tell(event::packet_too_large{
        .pnn = config_.peer, .bytes = m.packet->size(), .limit = config_.limits.max_packet});
    return;
  }
  if (out_->unsent_bytes() > messages_dropped_above)
    if (const auto p = decode_header(*m.packet);
        p && (p->op == operation::req_message || p->op == operation::req_tunnel)) {
      node_.tell(link_dropped{link_dropped::message});
      env_.log.tell(event::message_dropped{.pnn = config_.peer, .unsent = out_->unsent_bytes()});
      return;
    }
  ++env_.count.node_packets_sent;
  out_->send(std::move(m.packet), std::move(m.written));
}

// --- signs of life -------------------------------------------------------------------------------------------------

void link::on(link_tune& m) {
  keepalive_ = m.keepalive;
  allow_mixed_ = m.allow_mixed_versions;
  if (pair_.now == pair_status::phase::connected) arm_tick();
}

void link::arm_tick() {
  env_.loop.cancel(tick_timer_);
  tick_timer_ = env_.loop.after(watch_.period(keepalive_),
                                [to = self(), n = ++tick_serial_] { to.tell(link_tick{n}); });
}

void link::on(link_tick& m) {
  if (m.serial != tick_serial_ || pair_.now != pair_status::phase::connected) return;
  const auto v = watch_.tick(env_.loop.now(), keepalive_);
  if (v.dead)
    return happens(pair_event::broken, {fmt::format("{}, limit {:.1f} s", silence_text(v.silent),
                                                    in_seconds(v.allowed)),
                                        v.silent});
  if (v.ask && pair_.recognisable) {
    doubt_limit_ = v.allowed - v.silent;
    return happens(pair_event::broken, {silence_text(v.silent), v.silent});
  }
  arm_tick();
  send_keepalive();
}

bool link::is_floe() const {
  return pair_.now == pair_status::phase::connected && peer_capabilities_ &&
         (*peer_capabilities_ & capability::sorted_pull);
}

void link::send_keepalive() {
  if (!is_floe()) return send_keepalive({});
  last_mark_ = number_after(last_mark_);
  unanswered_.emplace_back(last_mark_, env_.loop.now());
  if (unanswered_.size() > most_unanswered) unanswered_.pop_front();
  send_keepalive({.number = last_mark_, .limit = keepalive_.quick_limit});
}

/// Who asks whether it is heard is answered at once, unless it does not read what it is sent; an answer says since when this node is
/// heard for certain.
void link::take(const keepalive_mark& m) {
  if (m.limit > duration{0}) config_.pulse->waits_for(config_.peer, m.limit);
  if (m.number != 0 && out_->unsent_bytes() <= messages_dropped_above)
    send_keepalive({.heard = m.number, .limit = keepalive_.quick_limit});
  const auto sent =
      std::ranges::find(unanswered_, m.heard, &std::pair<std::uint32_t, time_point>::first);
  if (m.heard == 0 || sent == unanswered_.end()) return;
  config_.pulse->was_heard_by(config_.peer, sent->second, env_.loop.now());
  unanswered_.erase(unanswered_.begin(), sent + 1);
}

void link::send_keepalive(const keepalive_mark& m) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(env_.loop.now() - config_.node_started)
          .count();
  ++env_.count.keepalive_packets_sent;
  out_->send(make_frame(
      {.gen = generation::invalid, .dest = config_.peer, .src = env_.self, .id = reqid{bits_of(m)}},
      req_keepalive{protocol_version_4_17, static_cast<std::uint32_t>(uptime)}));
}

void link::judge(const req_keepalive& k) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(env_.loop.now() - config_.node_started)
          .count();
  const keepalive_claim own{protocol_version_4_17, static_cast<std::uint32_t>(uptime)};
  const keepalive_claim theirs{k.version, k.uptime.value_or(0)};
  if (judge_version(own, theirs, allow_mixed_) != version_verdict::shut_down) return;
  node_.tell(stop_node{
      fmt::format("node {} runs version {} and has been up for {} s, this one {} for {} s; "
                  "AllowMixedVersions=1 would permit both",
                  number(config_.peer), theirs.version ? version_text(*theirs.version) : "unknown",
                  theirs.uptime_s, version_text(protocol_version_4_17), uptime)});
}

void link::on(link_stop&) {
  for (auto t : {retry_timer_, tick_timer_, greeting_timer_, doubt_timer_}) env_.loop.cancel(t);
  if (out_) out_->close();
  if (in_) in_->close();
  drop_aside();
  if (pair_.now == pair_status::phase::connected || pair_.doubt)
    node_.tell(peer_changed{
        .who = config_.peer, .connected = false, .why = "is no node any more", .floe = false});
  end();
}

}  // namespace floe
