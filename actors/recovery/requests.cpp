/// What tools and other nodes ask of a leader by message (Samba ctdb/server/ctdb_recoverd.c, the srvid handlers).
/// Each answer is a message to the srvid that the question names: a pnn, or a negative errno.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "actors/events.hpp"
#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/recovery_answer.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Nobody keeps a cluster from recovering for longer.
constexpr std::uint32_t longest_pause_s = 600;
/// The tool asks again after ten seconds: by then it must have its answer, whoever is slow.
constexpr duration takeover_patience = std::chrono::seconds(4);
/// The low bits of FLOE_RECOVER.
constexpr std::uint64_t recover_whole = 1, recover_verify = 2;

}  // namespace

std::span<const srvid> leader::request_srvids() {
  static constexpr auto all = std::to_array<srvid>(
      {message::takeover_run, message::disable_takeover_runs, message::disable_recoveries,
       message::mem_dump, nth(message::floe_recover, recover_whole),
       nth(message::floe_recover, recover_verify),
       nth(message::floe_recover, recover_whole | recover_verify)});
  return all;
}

void leader::requested(const req_message& m) {
  if (m.srvid == message::takeover_run || m.srvid == message::mem_dump) {
    auto r = wire::decode<srvid_message>(m.data);
    if (!r) return;
    return m.srvid == message::mem_dump ? dump_memory(*r) : takeover_run(*r);
  }
  if (number(m.srvid) >> 2 == number(message::floe_recover) >> 2) {
    const auto how = number(m.srvid);
    const auto r = wire::decode<srvid_message>(m.data);
    if (r) recover_as_asked(*r, how & recover_whole, how & recover_verify);
    return;
  }
  auto r = wire::decode<disable_message>(m.data);
  if (!r) return;
  const srvid_message whom{.pnn = r->pnn, .srvid = r->srvid};
  // addresses are moved by nobody here: a pause of that is easily granted
  if (m.srvid == message::disable_takeover_runs) return answer(whom, number_answer(env_.self));
  disable_recoveries(whom, std::min(r->timeout, longest_pause_s));
}

bytes leader::number_answer(pnn p) { return wire::encode(static_cast<std::int32_t>(number(p))); }

void leader::answer(const srvid_message& whom, bytes data) {
  if (whom.srvid == srvid{0}) return;
  node_.tell(
      post_message{whom.pnn, whom.srvid, std::make_shared<const bytes>(std::move(data)), nullptr});
}

/// A takeover run without addresses to place: what is left of it is that every node is told of its end, which its
/// event scripts may wait for.
void leader::takeover_run(const srvid_message& whom) {
  if (!election_.leads()) {
    // whoever leads has heard it too; if nobody does yet, it may be us
    if (election_.leader() == pnn::unknown || election_.leader() == env_.self)
      waiting_takeovers_.push_back({env_.loop.now() + takeover_patience, whom.pnn, whom.srvid});
    return;
  }
  std::vector<pnn> active;
  for (pnn p : connected())
    if (!(view_->find(p)->flags & node_flag::inactive)) active.push_back(p);
  if (active.empty()) return answer(whom, number_answer(env_.self));
  const auto serial = ++last_takeover_;
  takeovers_[serial] = {whom, active.size()};
  for (pnn p : active)
    ask(p, control::ipreallocated, {}, question::takeover{serial}, takeover_patience);
}

void leader::answered(const question::takeover& q, const control_answer&) {
  const auto t = takeovers_.find(q.serial);
  if (--t->second.missing > 0) return;
  answer(t->second.whom, number_answer(env_.self));
  takeovers_.erase(t);
}

void leader::serve_takeovers() {
  std::erase_if(waiting_takeovers_, [this](const auto& w) { return env_.loop.now() >= w.until; });
  if (!election_.leads()) return;
  auto all = std::exchange(waiting_takeovers_, {});
  for (const auto& w : all) takeover_run({.pnn = w.who, .srvid = w.answer_to});
}

void leader::disable_recoveries(const srvid_message& whom, std::uint32_t seconds) {
  if (watch_.recovering() && seconds > 0)
    return answer(whom, wire::encode(static_cast<std::int32_t>(-EAGAIN)));
  env_.loop.cancel(pause_timer_);
  const bool pause = seconds > 0;
  if (pause)
    env_.log.tell(event::recoveries_paused{.seconds = seconds, .by = whom.pnn});
  else
    env_.log.tell(event::recoveries_allowed{.by = whom.pnn});
  node_.tell(pause_of_recoveries{whom.pnn, std::chrono::seconds(seconds)});
  answer(whom, number_answer(env_.self));
  if (!pause) return watch(watch_event::resumed{});
  watch(watch_event::paused{});
  pause_timer_ = env_.loop.after(std::chrono::seconds(seconds),
                                 [to = self()] { to.tell(leader_pause_over{}); });
}

void leader::on(leader_pause_over&) { watch(watch_event::resumed{}); }

void leader::recover_as_asked(const srvid_message& whom, bool whole, bool verify) {
  if (!election_.leads()) return;  // whoever leads has heard it too
  // a ctdbd cannot tell what it has in few words
  if (verify && !only_floe()) return answer(whom, wire::encode(recovery_answer{-EOPNOTSUPP, {}}));
  asked_next_.whole |= whole;
  asked_next_.verify |= verify;
  constexpr std::size_t most_answers = 64;
  if (asked_next_.who.size() < most_answers) asked_next_.who.push_back(whom);
  watch(watch_event::wanted{fmt::format("asked for by node {}{}{}", number(whom.pnn),
                                        whole ? ", of everything" : "",
                                        verify ? ", to be verified" : "")});
}

/// One that has failed is tried again, in the same way.
void leader::answer_who_asked(const recovery_result& r) {
  auto done = std::exchange(asked_, {});
  differed_ += r.differed;
  if (!r.good && election_.leads()) {
    asked_next_.whole |= done.whole;
    asked_next_.verify |= done.verify;
    std::ranges::move(done.who, std::back_inserter(asked_next_.who));
    return;
  }
  const auto differed = std::exchange(differed_, {});
  const auto count = static_cast<std::int32_t>(std::ranges::count(differed, '\n'));
  for (const auto& whom : done.who)
    answer(whom, wire::encode(recovery_answer{r.good ? count : -EAGAIN, differed}));
}

void leader::dump_memory(const srvid_message& whom) {
  ask(env_.self, control::dump_memory, {}, question::memory{whom});
}

void leader::answered(const question::memory& q, const control_answer& a) {
  answer(q.whom, a.data);
}

}  // namespace floe
