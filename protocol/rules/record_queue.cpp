#include "protocol/rules/record_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/read_only.hpp"

namespace floe {
namespace {

bool of_peer(const queued_request& r) { return r.use == record_use::peer_call; }

/// Who is believed to have the record: without a copy of it, its lmaster.
record_header believed(const queue_state& s) {
  return s.local.value_or(missing_record_header(s.lmaster));
}

/// Where a request is sent; unknown: to nobody, and the next map, whose thaw brings us here again, tells whom.
pnn whom_to_ask(const queue_state& s, pnn wanted) {
  return wanted == s.self ? pnn::unknown : wanted;
}

/// Whether the request needs the record for itself.
bool writes(const queued_request& r) { return !r.read_only && r.use != record_use::read; }

/// It wants to write, or to take the record away, and read-only copies are out.
bool has_to_call_back(const queue_state& s, const queued_request& r) {
  return writes(r) && copies_are_out(s.self, s.local);
}

/// The front is one of this node.
queue_step serve_local(const queue_state& now, std::span<const queued_request> queue,
                       std::size_t front) {
  queue_step step{.first = front};
  const auto here = decide_local_call(now.self, believed(now));
  // A new map is set and this database not recovered yet: the map says nothing about its records. A new lmaster would
  // invent a record beside the real one, and what is ours is so in a content that may not count. (A bug that this covers
  // is looked for without it.)
  const bool covered = mutated(mutant::inactive_not_frozen) && now.local && here.serve;
  if (!now.map_applies && !covered) return step;
  if (here.serve && has_to_call_back(now, queue[front])) {
    step.call_back = true;
    return step;
  }
  if (here.serve) {
    step.action = queue[front].use == record_use::lock ? queue_action::grant : queue_action::answer;
    return step;
  }
  if (queue[front].read_only && is_read_only_copy(now.local)) {
    step.action = queue_action::answer;
    return step;
  }
  queue_state asked = now;
  if (!now.asked) {
    step.ask = whom_to_ask(now, here.ask);
    step.ask_for_copy = step.ask != pnn::unknown && queue[front].read_only;
    if (step.ask != pnn::unknown) asked.asked = step.ask;
    asked.asked_for_copy = step.ask_for_copy;
  }
  // requests of others that are not to be held back find their way while we wait
  for (std::size_t i = 0; i < queue.size(); ++i) {
    if (!of_peer(queue[i]) || held_for_us(asked, queue[i])) continue;
    step.action = queue_action::settle;
    step.which = i < front ? i + 1 : i;  // behind the one that has come to the front
    return step;
  }
  return step;
}

}  // namespace

bool is_served_first(const queued_request& r, const std::optional<time_point>& came,
                     time_point now) {
  if (!came || of_peer(r) || r.use == record_use::vacuum) return false;
  return r.since < *came && now - *came < share_of_waiters;
}

pnn sent_on_to(pnn otherwise, pnn given_to, const record_header& local, pnn source) {
  const bool follows = given_to != pnn::unknown && local.dmaster == given_to;
  // an older one of the new owner's would meet itself
  return follows && source != given_to ? given_to : otherwise;
}

bool held_for_us(const queue_state& now, const queued_request& r) {
  // who asks for a copy is not counted as the owner by anybody
  if (!now.asked || now.asked_for_copy || !of_peer(r) || r.source == now.self) return false;
  const bool asked_owner = now.lmaster == now.self && believed(now).dmaster == *now.asked;
  // whoever is not the lmaster sends on what he was asked to that one, or after the record; to us as the lmaster both
  const bool sent_here = now.lmaster != now.self && (r.from == now.lmaster || r.from != r.source);
  return (asked_owner || sent_here) && now.now - r.since < now.hold_back;
}

queue_step next_step(const queue_state& now, std::span<const queued_request> queue) {
  assert(!(now.held && now.asked) && "a record that is held here is asked for");
  if (!now.thawed && !mutated(mutant::granted_while_frozen)) return {};
  if (now.held || queue.empty()) return {};
  const auto look = std::ranges::find(queue, record_use::look, &queued_request::use);
  if (look != queue.end())
    return {.first = static_cast<std::size_t>(look - queue.begin()),
            .action = queue_action::answer};
  if (!of_peer(queue.front())) return serve_local(now, queue, 0);
  if (!now.map_applies) return {};
  if (now.now < now.stays_until && believed(now).dmaster == now.self) {
    const auto local = std::ranges::find_if_not(queue, of_peer);
    if (local == queue.end()) return {.stays = true};
    return serve_local(now, queue, static_cast<std::size_t>(local - queue.begin()));
  }
  if (believed(now).dmaster == now.self) {
    const auto first = std::ranges::find_if(
        queue, [&](const queued_request& r) { return is_served_first(r, now.came, now.now); });
    if (first != queue.end())
      return serve_local(now, queue, static_cast<std::size_t>(first - queue.begin()));
  }
  if (has_to_call_back(now, queue.front())) return {.call_back = true};
  // a copy that is given now would not be called back
  if (now.calling_back) return {};
  if (!held_for_us(now, queue.front())) return {.action = queue_action::settle};
  // the record is on its way here for somebody behind it in the queue; local requests go first
  const auto local = std::ranges::find_if_not(queue, of_peer);
  if (local == queue.end()) return {};
  return serve_local(now, queue, static_cast<std::size_t>(local - queue.begin()));
}

pending_step at_tick(const queue_state& now, const pending_request& request,
                     duration resend_after) {
  if (!request.wanted) return {.action = pending_action::forget};
  if (now.now - request.sent < resend_after) return {.action = pending_action::keep};
  const pnn to = now.lmaster == now.self ? believed(now).dmaster : now.lmaster;
  return {.action = pending_action::ask_again, .to = whom_to_ask(now, to)};
}

pending_step at_thaw(const queue_state& now) {
  const auto here = decide_local_call(now.self, believed(now));
  // the recovery made this node its dmaster: the request, sent again, ends here
  if (here.serve) return {.action = pending_action::arrived};
  return {.action = pending_action::ask_again, .to = whom_to_ask(now, here.ask)};
}

std::string_view name(record_use u) {
  switch (u) {
    case record_use::lock: return "lock";
    case record_use::read: return "read";
    case record_use::look: return "look";
    case record_use::call: return "call";
    case record_use::vacuum: return "vacuum";
    case record_use::peer_call: return "peer_call";
  }
  std::unreachable();
}

std::string_view name(queue_action a) {
  switch (a) {
    case queue_action::wait: return "wait";
    case queue_action::settle: return "settle";
    case queue_action::grant: return "grant";
    case queue_action::answer: return "answer";
  }
  std::unreachable();
}

std::string_view name(pending_action a) {
  switch (a) {
    case pending_action::keep: return "keep";
    case pending_action::forget: return "forget";
    case pending_action::ask_again: return "ask_again";
    case pending_action::arrived: return "arrived";
  }
  std::unreachable();
}

}  // namespace floe
