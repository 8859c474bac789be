#include "actors/node/calls/calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "actors/events.hpp"
#include "protocol/constants.hpp"

namespace floe {
namespace {

/// What another node says of connections and deadlines is about those of its own: that it has answered is certain.
control_answer answer_of(const reply_control& r) {
  auto said = read_error_field(r.error);
  if (r.status >= 0)
    said.cause = failure_cause::none;
  else if (said.cause != failure_cause::bad_answer && said.cause != failure_cause::unfit &&
           said.cause != failure_cause::apart)
    said.cause = failure_cause::refused;
  return {
      .status = r.status, .data = bytes(r.data), .cause = said.cause, .text = std::move(said.text)};
}

}  // namespace

void calls::send(pnn to, const req_control& r, duration patience, replier answer) {
  const auto* p = port_.view().find(to);
  if (!p || !p->link || (p->flags & node_flag::disconnected))
    return answer.fail(bytes(no_connection_text), failure_cause::disconnected);
  if (r.data.size() > port_.config.max_packet) {
    ++port_.limits.dropped.too_large;
    return answer.fail(
        fmt::format("a request of {} bytes is larger than what is sent to other nodes, {} bytes",
                    r.data.size(), port_.config.max_packet),
        failure_cause::refused);
  }
  const reqid id = port_.env.ids.take_unless([this](std::uint32_t n) { return open_.contains(n); });
  if (!(r.flags & control_flag::noreply)) {
    const auto deadline = port_.env.loop.after(
        patience, [self = port_.self, id] { self.tell(control_deadline{id}); });
    open_[number(id)] = {
        .to = to, .opcode = r.opcode, .answer = std::move(answer), .deadline = deadline};
  }
  port_.send(to, id, r);
}

void calls::tell(pnn to, const req_control& r) {
  req_control quiet = r;
  quiet.flags |= control_flag::noreply;
  send(to, quiet, duration{0}, {});
}

void calls::send(call_control& m) {
  if (m.to == port_.env.self) return to_ourselves(m);
  send(m.to, {.opcode = m.opcode, .flags = m.flags, .data = m.data}, m.patience, m.answer);
}

void calls::to_ourselves(call_control& m) {
  const pnn self = port_.env.self;
  auto raw = make_frame({.gen = port_.view().gen, .dest = self, .src = self, .id = reqid{0}},
                        req_control{.opcode = m.opcode, .flags = m.flags, .data = m.data});
  auto content = decode_packet(*raw);
  auto p = std::make_shared<const parcel>(parcel{raw, std::move(*content)});
  // our own steps too must end: a database that cannot freeze keeps its answer back
  auto& loop = port_.env.loop;
  const auto deadline = loop.after(m.patience, [answer = m.answer] {
    answer.fail(bytes(control_timeout_text), failure_cause::timed_out);
  });
  const replier back([answer = m.answer, &loop, deadline](control_answer a) {
    loop.cancel(deadline);
    answer(std::move(a));
  });
  own_.carry_out(
      {.opcode = m.opcode, .from = self, .client = std::nullopt, .flags = m.flags, .packet = p},
      std::get<req_control>(p->content.body).data, back);
}

void calls::broadcast(pnn to, const req_control& r) {
  for (pnn p : port_.destinations(to)) {
    if (p != port_.env.self) {
      req_control one = r;
      one.client_id = 0;
      tell(p, one);
      continue;
    }
    call_control mine{.to = p,
                      .opcode = r.opcode,
                      .data = bytes(r.data),
                      .patience = std::chrono::seconds(60),
                      .answer = {},
                      .flags = r.flags | control_flag::noreply};
    to_ourselves(mine);
  }
}

void calls::expired(reqid id) {
  auto i = open_.find(number(id));
  if (i == open_.end()) return;
  ++port_.env.count.control_timeouts;
  auto c = std::move(i->second);
  open_.erase(i);
  c.answer.fail(bytes(control_timeout_text), failure_cause::timed_out);
}

void calls::answered(pnn from, reqid id, const reply_control& r) {
  auto i = open_.find(number(id));
  if (i == open_.end() || i->second.to != from) {
    port_.env.log.tell(event::late_reply{.from = from, .reqid = number(id)});
    return;
  }
  auto c = std::move(i->second);
  open_.erase(i);
  port_.env.loop.cancel(c.deadline);
  c.answer(answer_of(r));
}

void calls::lost(pnn who) {
  std::vector<std::uint32_t> lost;
  for (const auto& [id, c] : open_)
    if (c.to == who) lost.push_back(id);
  std::ranges::sort(lost);
  for (auto id : lost) {
    auto c = std::move(open_.at(id));
    open_.erase(id);
    port_.env.loop.cancel(c.deadline);
    c.answer.fail(bytes(broken_connection_text), failure_cause::disconnected);
  }
}

void calls::give_all_up() {
  for (auto& [id, c] : open_) port_.env.loop.cancel(c.deadline);
  open_.clear();
}

}  // namespace floe
