/// Controls: carrying out our own, sending them to others, answering each exactly once.
#include <fmt/format.h>

#include <algorithm>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"

namespace floe {
namespace {

/// What another node says of connections and deadlines is about those of its own: that it has answered is certain.
control_answer answer_of(const reply_control& r) {
  auto said = read_error_field(r.error);
  if (r.status >= 0)
    said.cause = failure_cause::none;
  else if (said.cause != failure_cause::bad_answer)
    said.cause = failure_cause::refused;
  return {.status = r.status, .data = bytes(r.data), .cause = said.cause, .text = std::move(said.text)};
}

}  // namespace

void node::carry_out(control_request r) {
  const auto* info = find_control(r.opcode);
  const handler h = handler_of(r.opcode);
  if (!info || info->is(control_trait::obsolete) || !h) {
    env_.log.info(fmt::format("unknown-control {} from={}", control_name(r.opcode), number(r.from)));
    return r.answer.fail();
  }
  if (info->from == sender::local && !r.client) return r.answer.fail("only for clients of this node");
  if (auto size = check_request(*info, r.data); !size) {
    env_.log.info(fmt::format("bad-control {} from={} why=\"{}\"", info->name, number(r.from), size.error().text()));
    return r.answer.fail();
  }
  (this->*h)(r);
}

void node::call(pnn to, control opcode, bytes data, floe::srvid srvid, std::uint32_t client_id,
                std::uint32_t flags, duration patience, replier answer) {
  const auto* p = view_->find(to);
  if (!p || !p->link || (p->flags & node_flag::disconnected))
    return answer.fail(bytes(no_connection_text), failure_cause::disconnected);
  const reqid id = env_.ids.take_unless([this](std::uint32_t n) { return calls_.contains(n); });
  if (!(flags & control_flag::noreply)) {
    const auto deadline = env_.loop.after(patience, [self = self(), id] { self.tell(control_deadline{id}); });
    calls_[number(id)] = {.to = to, .opcode = opcode, .answer = std::move(answer), .deadline = deadline};
  }
  send(to, id, req_control{.opcode = opcode, .srvid = srvid, .client_id = client_id, .flags = flags, .data = data});
}

void node::on(call_control& m) {
  if (m.to != env_.self)
    return call(m.to, m.opcode, std::move(m.data), floe::srvid{0}, 0, m.flags, m.patience, m.answer);
  // the same way as if it had come in a packet
  auto raw = make_frame({.gen = view_->gen, .dest = env_.self, .src = env_.self, .id = reqid{0}},
                        req_control{.opcode = m.opcode, .srvid = floe::srvid{0}, .client_id = 0, .flags = m.flags,
                                    .data = m.data});
  auto content = decode_packet(*raw);
  auto p = std::make_shared<const parcel>(parcel{raw, std::move(*content)});
  // our own steps too must end: a database that cannot freeze keeps its answer back
  const auto deadline = env_.loop.after(
      m.patience, [answer = m.answer] { answer.fail(bytes(control_timeout_text), failure_cause::timed_out); });
  replier back([answer = m.answer, &loop = env_.loop, deadline](control_answer a) {
    loop.cancel(deadline);
    answer(std::move(a));
  });
  carry_out({.opcode = m.opcode, .data = std::get<req_control>(p->content.body).data, .packet = p,
             .srvid = floe::srvid{0}, .flags = m.flags, .from = env_.self, .client = std::nullopt, .answer = back});
}

void node::on(control_deadline& m) {
  auto i = calls_.find(number(m.id));
  if (i == calls_.end()) return;
  ++env_.count.control_timeouts;
  auto c = std::move(i->second);
  calls_.erase(i);
  c.answer.fail(bytes(control_timeout_text), failure_cause::timed_out);
}

void node::from_peer(pnn from, const parcel_ptr& p, const reply_control& r) {
  auto i = calls_.find(number(p->content.header.id));
  if (i == calls_.end() || i->second.to != from) {
    env_.log.info(fmt::format("late-reply from={} reqid={}", number(from), number(p->content.header.id)));
    return;
  }
  auto c = std::move(i->second);
  calls_.erase(i);
  env_.loop.cancel(c.deadline);
  c.answer(answer_of(r));
}

void node::fail_calls_to(pnn who, const std::string&) {
  std::vector<std::uint32_t> lost;
  for (const auto& [id, c] : calls_)
    if (c.to == who) lost.push_back(id);
  std::ranges::sort(lost);
  for (auto id : lost) {
    auto c = std::move(calls_.at(id));
    calls_.erase(id);
    env_.loop.cancel(c.deadline);
    c.answer.fail(bytes(broken_connection_text), failure_cause::disconnected);
  }
}

void node::broadcast_control(pnn to, const req_control& r) {
  for (pnn p : destinations(to)) {
    if (p != env_.self) {
      call(p, r.opcode, bytes(r.data), r.srvid, 0, r.flags | control_flag::noreply, duration{0}, {});
      continue;
    }
    call_control mine{.to = p, .opcode = r.opcode, .data = bytes(r.data), .patience = std::chrono::seconds(60),
                      .answer = {}, .flags = r.flags | control_flag::noreply};
    on(mine);
  }
}

}  // namespace floe
