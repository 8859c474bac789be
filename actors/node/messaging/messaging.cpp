#include "actors/node/messaging/messaging.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/client.hpp"

namespace floe {
namespace {

/// A registration for this one receives every message.
constexpr std::uint64_t every_srvid = 0xFFFFFFFFFFFFFFFF;
constexpr std::int64_t not_registered = 2;
constexpr std::size_t most_of_a_srvid = 100;  ///< of a client: it receives every message as often

}  // namespace

void messaging::send(pnn to, floe::srvid srvid, byte_view data, task written) {
  const pnn self = port_.env.self;
  for (pnn p : port_.destinations(to)) {
    if (p != self) {
      if (const auto* peer = port_.view().find(p); peer && !(peer->flags & node_flag::disconnected))
        port_.send(p, reqid{0}, req_message{.srvid = srvid, .data = data}, written);
      continue;
    }
    auto raw = make_frame({.gen = port_.view().gen, .dest = p, .src = self, .id = reqid{0}},
                          req_message{.srvid = srvid, .data = data});
    auto content = decode_packet(*raw);
    auto own = std::make_shared<const parcel>(parcel{raw, std::move(*content)});
    deliver(own, std::get<req_message>(own->content.body));
    if (written) written();
  }
}

void messaging::deliver(const parcel_ptr& p, const req_message& m) {
  frame copy;  // made once, for all clients
  const auto hand_out = [&](std::uint64_t srvid) {
    auto i = subscribers_.find(srvid);
    if (i == subscribers_.end()) return;
    for (const auto& s : i->second) {
      if (s.deliver) {
        s.deliver(p);
        continue;
      }
      if (!copy)
        copy = port_.for_client(p->content.header.src, reqid{0},
                                req_message{.srvid = m.srvid, .data = m.data});
      s.session.tell(session_send{copy});
    }
  };
  hand_out(number(m.srvid));
  if (number(m.srvid) != every_srvid) hand_out(every_srvid);
}

void messaging::listen(listen_messages& m) {
  subscribers_[number(m.srvid)].push_back(
      {.owner = m.owner, .session = {}, .deliver = std::move(m.deliver)});
}

void messaging::unlisten(const unlisten_messages& m) {
  auto i = subscribers_.find(number(m.srvid));
  if (i == subscribers_.end()) return;
  std::erase_if(i->second, [&](const subscriber& s) { return s.deliver && s.owner == m.owner; });
  if (i->second.empty()) subscribers_.erase(i);
}

bool messaging::is_heard(floe::srvid srvid) const {
  return subscribers_.contains(number(srvid)) || subscribers_.contains(every_srvid);
}

void messaging::greet(floe::srvid srvid, std::function<bytes()> with) {
  greetings_[number(srvid)] = std::move(with);
}

void messaging::leader_is(pnn leader) {
  if (leader == pnn::unknown && leader_ != pnn::unknown)
    without_leader_since_ = port_.env.loop.now();
  if (leader != pnn::unknown) last_leader_ = leader;
  leader_ = leader;
}

/// Registering twice delivers twice: CTDB's clients count on nothing else. While nobody leads, who registers for the
/// leader's messages is told who did: Samba's tool asks for nothing else, has no use for "nobody", and would show no
/// status before an election is over. After ten seconds it is not told any more and says UNKNOWN, as with ctdbd.
void messaging::register_srvid(const caller& by, const answer_to<control::register_srvid>& answer) {
  constexpr auto still_shown = std::chrono::seconds(10);
  auto& mine = of_client_[by.client->id];
  if (mine.registrations >= most_registrations) {
    ++port_.limits.refused.registrations;
    return answer.fail(
        fmt::format("this client has registered {} times, which is the limit", most_registrations));
  }
  if (const auto known = mine.registered.find(number(by.srvid));
      known != mine.registered.end() && known->second >= most_of_a_srvid) {
    ++port_.limits.refused.registrations;
    return answer.fail(fmt::format(
        "this client has registered {} times for this srvid, which is the limit", known->second));
  }
  const auto& session = by.client->session;
  subscribers_[number(by.srvid)].push_back(
      {.owner = by.client->id, .session = session, .deliver = nullptr});
  ++mine.registrations;
  ++mine.registered[number(by.srvid)];
  answer.good();
  const auto tell = [&](const bytes& data) {
    session.tell(
        session_send{port_.for_client(reqid{0}, req_message{.srvid = by.srvid, .data = data})});
  };
  if (const auto g = greetings_.find(number(by.srvid)); g != greetings_.end()) tell(g->second());
  if (by.srvid != message::leader || last_leader_ == pnn::unknown) return;
  if (leader_ == pnn::unknown && port_.env.loop.now() - without_leader_since_ > still_shown) return;
  tell(wire::encode(number(last_leader_)));
}

std::size_t messaging::remove(std::uint64_t client, std::uint64_t srvid) {
  const auto i = subscribers_.find(srvid);
  if (i == subscribers_.end()) return 0;
  const auto gone = std::erase_if(
      i->second, [&](const subscriber& s) { return !s.deliver && s.owner == client; });
  if (i->second.empty()) subscribers_.erase(i);
  return gone;
}

outcome_of<control::deregister_srvid> messaging::deregister_srvid(const caller& by) {
  const auto gone = remove(by.client->id, number(by.srvid));
  if (gone == 0) return status_of(not_registered);
  auto& mine = of_client_[by.client->id];
  mine.registrations -= gone;
  mine.registered.erase(number(by.srvid));
  return {};
}

outcome_of<control::register_notify> messaging::register_notify(
    const request_of<control::register_notify>& n, const caller& by) {
  auto& mine = of_client_[by.client->id];
  if (mine.notification_bytes + n.data.size() > most_notification_bytes ||
      at_end_[by.client->id].size() >= most_registrations)
    return refuse("this client has left more to be sent at its end than the limit");
  if (!at_end_[by.client->id].emplace(number(n.srvid), bytes(n.data)).second)
    return refuse("registered already");
  mine.notification_bytes += n.data.size();
  return {};
}

outcome_of<control::deregister_notify> messaging::deregister_notify(
    const request_of<control::deregister_notify>& srvid, const caller& by) {
  const auto left = at_end_[by.client->id].extract(number(srvid));
  if (!left) return refuse("not registered");
  of_client_[by.client->id].notification_bytes -= left.mapped().size();
  return {};
}

messaging::held_report messaging::held() const {
  held_report r;
  for (const auto& [id, c] : of_client_) {
    r.registrations += c.registrations;
    r.notification_bytes += c.notification_bytes;
  }
  for (const auto& [id, all] : at_end_) r.notifications += all.size();
  return r;
}

outcome_of<control::check_pid_srvid> messaging::check_pid_srvid(
    const request_of<control::check_pid_srvid>& q) const {
  const auto i = subscribers_.find(number(q.srvid));
  if (i == subscribers_.end()) return refuse();
  for (const auto& s : i->second) {
    const auto* c = clients_.find(s.owner);
    if (!s.deliver && c && c->pid == number(q.pid)) return {};
  }
  return refuse();
}

void messaging::announce_end_of(std::uint64_t client) {
  auto left = at_end_.extract(client);
  if (left) announce(std::make_shared<parting_messages>(std::move(left.mapped())));
}

/// A client may leave a hundred thousand, each for every node: a slice of them in a turn.
void messaging::announce(const std::shared_ptr<parting_messages>& left) {
  constexpr std::size_t packets_in_a_turn = 2000;
  const auto nodes = port_.destinations(pnn::broadcast_connected).size();
  for (std::size_t sent = 0; sent < packets_in_a_turn && !left->empty(); sent += nodes + 1) {
    const auto one = left->extract(left->begin());
    send(pnn::broadcast_connected, floe::srvid{one.key()}, one.mapped());
  }
  if (!left->empty()) port_.self.tell(work_ended{[this, left] { announce(left); }});
}

/// In time proportional to what this client has registered, whatever the others have.
void messaging::forget(std::uint64_t client) {
  const auto left = of_client_.extract(client);
  if (!left) return;
  for (const auto& [srvid, times] : left.mapped().registered) remove(client, srvid);
}

}  // namespace floe
