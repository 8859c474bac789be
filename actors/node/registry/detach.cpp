#include "actors/node/registry/detach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/feature_level.hpp"
#include "protocol/tunables.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe {
namespace {

/// How long recoveries that come between are waited for, and how long until the others are asked again.
constexpr std::chrono::seconds patience{10};
constexpr std::chrono::milliseconds pause{100};
/// They are ACTIVE as long as they are that, and no recovery asks them for anything.
constexpr std::uint32_t out_of_recoveries = node_flag::banned | node_flag::stopped;

}  // namespace

/// Why not, or nothing. Where it is closed it is too late for that.
std::string detaching::will_never(db_id id, const database_entry& d) const {
  if (d.kind != db_kind::volatile_db) return d.name + " is not volatile";
  if (port_.tunables[tunable::allow_client_db_attach] != 0 && !closing_.contains(id))
    return "clients may attach it again: AllowClientDBAttach is not 0";
  return {};
}

std::string detaching::not_now(const database_entry& d, bool for_others) const {
  const bool out = for_others && (port_.view().own_flags() & out_of_recoveries);
  if (port_.view().mode == recovery_mode::active && !out) return "a recovery is going on";
  if (!d.open || d.detaching) return d.name + " is being attached or detached";
  return {};
}

void detaching::db_detach(const request_of<control::db_detach>& id, const caller& by,
                          const answer_to<control::db_detach>& answer) {
  const bool of_node = !by.client && by.client_id == 0;
  if (of_node && (by.flags & detach_close)) return close_here(id, by, answer.plain());
  if (of_node && (by.flags & detach_release)) return release_here(id, by, answer.plain());
  const auto* d = databases_.find(id);
  if (!d && !by.client) return answer.good();  // for a node that detaches it everywhere
  if (!d) return answer.fail("unknown database");
  for (const auto& why : {will_never(id, *d), not_now(*d, !by.client)})
    if (!why.empty()) return answer.fail(why);
  if (!by.client) return detach_here(id, answer.plain());
  go_on({.id = id, .until = port_.env.loop.now() + patience, .answer = answer.plain()});
}

std::vector<pnn> detaching::others() const {
  auto all = port_.destinations(pnn::broadcast_connected);
  std::erase(all, port_.env.self);
  return all;
}

bool detaching::knows_closing(pnn p) const {
  const auto* n = port_.view().find(p);
  return n &&
         used_feature_level(n->level, port_.tunables[tunable::feature_level]) >= level_of_closing;
}

// --- the node that a client has asked ----------------------------------------------------------------------------------

void detaching::go_on(const course& m) {
  switch (m.at) {
    case detach_step::ask: return ask_whether(m);
    case detach_step::settle: return ask_for_recoveries(m);
    case detach_step::close: return tell_all(m, detach_close);
    case detach_step::drop: return drop_on_others(m);
    case detach_step::drop_here: return drop_here(m);
    case detach_step::renew: return renew(m);
    case detach_step::release:
    case detach_step::reopen: return tell_all(m, detach_release);
    case detach_step::done: return m.answer.good();
    case detach_step::failed: return m.answer.fail(m.why);
  }
}

/// What all have said together decides on the next step.
void detaching::went(const course& m, const said& all) {
  auto next = m;
  const bool over = all.what == detach_event::busy && port_.env.loop.now() >= m.until;
  next.at = step(m.at, over ? detach_event::late : all.what);
  if (!all.why.empty() && m.at != detach_step::reopen) {
    const bool touched = m.at == detach_step::drop || m.at == detach_step::drop_here;
    next.why =
        all.why + (touched ? "; others may have detached it: try again" : "; nothing was detached");
  }
  if (all.what != detach_event::busy || over) return later(next);
  port_.env.loop.after(pause, [this, here = std::weak_ptr(here_), next] {
    if (!here.expired()) later(next);
  });
}

void detaching::later(const course& m) {
  port_.self.tell(work_ended{[this, m] { go_on(m); }});
}

/// One control to each of these nodes; what is worst of what they say counts, with the words of all that do not agree.
void detaching::ask_all(const course& m, const std::vector<pnn>& nodes, const req_control& request,
                        const judge& judged) {
  struct answers {
    std::size_t left = 0;
    said worst{};
  };
  if (nodes.empty()) return went(m, {});
  const auto all = std::make_shared<answers>(answers{.left = nodes.size()});
  const duration limit =
      m.at == detach_step::ask || m.at == detach_step::settle ? patience : port_.control_limit();
  for (const pnn n : nodes)
    calls_.send(
        n, request, limit,
        replier([this, here = std::weak_ptr(here_), m, all, n, judged](const control_answer& a) {
          if (here.expired()) return;
          const auto one = judged(a);
          all->worst.what = std::max(all->worst.what, one.what);
          if (!one.why.empty())
            all->worst.why +=
                fmt::format("{}node {} {}", all->worst.why.empty() ? "" : "; ", number(n), one.why);
          if (--all->left == 0) went(m, all->worst);
        }));
}

/// Once they have begun there is no way back: what can be refused is asked before.
void detaching::ask_whether(const course& m) {
  const auto may_attach =
      encode_request<control::get_tunable>({.name = info_of(tunable::allow_client_db_attach).name});
  ask_all(m, others(), {.opcode = control::get_tunable, .data = may_attach},
          [](const control_answer& a) -> said {
            const auto value = decode_reply<control::get_tunable>(a.data);
            if (a.status != 0 || !value)
              return {detach_event::refused, "does not say whether it would: " + a.text};
            if (*value == 0) return {};
            return {detach_event::refused,
                    "lets clients attach it again: AllowClientDBAttach is not 0"};
          });
}

/// Of those that can be in one. What was seen at none may begin at once, but goes on for no longer than a recovery takes.
void detaching::ask_for_recoveries(const course& m) {
  if (port_.view().mode == recovery_mode::active)
    return went(m, {detach_event::busy, "a recovery is going on"});
  auto nodes = others();
  std::erase_if(nodes, [this](pnn p) { return port_.view().find(p)->flags & out_of_recoveries; });
  ask_all(m, nodes, {.opcode = control::get_recmode}, [](const control_answer& a) -> said {
    if (a.status == 0) return {};
    if (a.status == 1) return {detach_event::busy, "is in a recovery"};
    return {detach_event::refused, "does not say whether it is in a recovery: " + a.text};
  });
}

/// This node first to close, so that what it has is closed whoever of the others will not.
void detaching::tell_all(const course& m, std::uint32_t flags) {
  auto nodes = others();
  std::erase_if(nodes, [this](pnn p) { return !knows_closing(p); });
  const auto to_others = [this, m, nodes, flags] {
    const auto id = encode_request<control::db_detach>(m.id);
    ask_all(m, nodes, {.opcode = control::db_detach, .flags = flags, .data = id},
            [](const control_answer& a) -> said {
              if (a.status == 0) return {};
              const bool will_not = a.cause == failure_cause::refused;
              return {will_not ? detach_event::refused : detach_event::busy, "keeps it: " + a.text};
            });
  };
  tell_here(m.id, flags,
            replier([this, here = std::weak_ptr(here_), m, to_others](const control_answer& a) {
              if (here.expired()) return;
              if (a.status == 0) return to_others();
              went(m, {detach_event::refused, a.text});
            }));
}

/// This node to itself, as if another one had said it.
void detaching::tell_here(db_id id, std::uint32_t flags, replier answer) {
  call_control own{.to = port_.env.self,
                   .opcode = control::db_detach,
                   .data = encode_request<control::db_detach>(id),
                   .patience = port_.control_limit(),
                   .answer = std::move(answer),
                   .flags = flags};
  calls_.send(own);
}

/// The others first: what they refuse stays here, where the client sees it.
void detaching::drop_on_others(const course& m) {
  const auto id = encode_request<control::db_detach>(m.id);
  ask_all(m, others(), {.opcode = control::db_detach, .data = id},
          [](const control_answer& a) -> said {
            if (a.status == 0) return {};
            return {detach_event::busy, "keeps it: " + a.text};
          });
}

void detaching::drop_here(const course& m) {
  const auto* d = databases_.find(m.id);
  auto dropped = m;
  dropped.under = port_.view().gen;
  if (!d) return went(dropped, {});
  for (const auto& why : {will_never(m.id, *d), not_now(*d, false)})
    if (!why.empty()) return went(m, {detach_event::busy, why});
  detach_here(m.id, replier([this, here = std::weak_ptr(here_), dropped](const control_answer& a) {
                if (here.expired()) return;
                went(dropped, {a.status == 0 ? detach_event::agreed : detach_event::busy, a.text});
              }));
}

/// A ctdbd that leads would let the client wait until it looks, and one that does not know the word serves the database
/// meanwhile all the same.
void detaching::renew(const course& m) {
  const auto nodes = others();
  if (!std::ranges::all_of(nodes, [this](pnn p) { return knows_closing(p); })) return went(m, {});
  renewing_.push_back(m);
  renewing_.back().until = port_.env.loop.now() + patience;
  port_.env.loop.after(patience, [this, here = std::weak_ptr(here_)] {
    if (!here.expired()) end_renewals(detach_event::late);
  });
  view_changed();
}

/// Of those that are renewed, or that nobody waits for any longer.
void detaching::end_renewals(detach_event how) {
  std::erase_if(renewing_, [&](const course& m) {
    const bool over = how == detach_event::late ? port_.env.loop.now() >= m.until : renewed(m);
    if (over) went(m, {how, {}});
    return over;
  });
}

bool detaching::renewed(const course& m) const {
  return port_.view().mode == recovery_mode::normal && port_.view().gen != m.under;
}

/// What has ended under the generation of before (it had begun before, or was none) is followed by another one.
void detaching::view_changed() {
  if (renewing_.empty() || port_.view().mode != recovery_mode::normal) return;
  end_renewals(detach_event::agreed);
  if (renewing_.empty()) return;
  const auto& first = renewing_.front();
  port_.self.tell(want_recovery{fmt::format("database {:#010x} was detached", number(first.id))});
}

// --- every node --------------------------------------------------------------------------------------------------------

/// Also where it is not: a recovery that has begun may bring it. What is being opened is closed when it is open.
void detaching::close_here(db_id id, const caller& by, const replier& answer) {
  const auto* d = databases_.find(id);
  if (d)
    if (const auto why = will_never(id, *d); !why.empty()) return answer.fail(why);
  closing_[id] = port_.env.loop.now() + closed_lasts;
  if (!d || !d->open || d->detaching) return answer.good();
  d->to.tell(db_control::of<control::db_detach>(id, by, answer));
}

void detaching::opened(db_id id) {
  if (closing_.contains(id)) tell_here(id, detach_close, {});
}

/// What is still here was not detached after all; no thaw opens it, but the commit of a recovery.
void detaching::release_here(db_id id, const caller& by, const replier& answer) {
  const bool was_closed = closing_.erase(id) > 0;
  const auto* d = databases_.find(id);
  if (!was_closed || !d || !d->open || d->detaching) return answer.good();
  d->to.tell(db_control::of<control::db_detach>(id, by, answer));
  port_.self.tell(want_recovery{d->name + " was not detached after all"});
}

void detaching::tick() {
  const auto now = port_.env.loop.now();
  std::vector<db_id> left_here;
  std::erase_if(closing_, [&](const auto& c) {
    const bool here = databases_.find(c.first);
    if (here && now >= c.second) left_here.push_back(c.first);
    return !here && now >= c.second + closed_lasts;
  });
  for (const db_id id : left_here) {
    closing_[id] = now + closed_lasts;
    go_on({.id = id, .at = detach_step::close, .until = now + patience});
  }
}

void detaching::detach_here(db_id id, const replier& answer) {
  auto& d = databases_.all().at(id);
  d.detaching = true;
  d.open = false;
  d.attaching.push_back(answer);  // answered when the file is closed
  port_.note(event::detach{}, id);
  databases_.is_detached(id);
  d.to.tell(db_stop{.remove = true});
}

void detaching::closed(db_id id) {
  auto* d = databases_.find(id);
  if (!d) return;
  const auto waiting = std::exchange(d->attaching, {});
  databases_.erase(id);
  port_.env.ids.forget_all_of(id);
  for (const auto& w : waiting) w.good();
}

}  // namespace floe
