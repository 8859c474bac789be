#include "actors/node/registry/detach.hpp"

#include <fmt/format.h>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/tunables.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe {
namespace {

/// How long recoveries that come between are waited for, and how long until the others are asked again.
constexpr std::chrono::seconds patience{10};
constexpr std::chrono::milliseconds pause{100};

}  // namespace

/// Why not, or nothing.
std::string detaching::keeps_attached(const database_entry& d) const {
  if (d.kind != db_kind::volatile_db) return d.name + " is not volatile";
  if (port_.view().mode == recovery_mode::active) return "a recovery is going on";
  if (port_.tunables[tunable::allow_client_db_attach] != 0)
    return "clients may attach it again: AllowClientDBAttach is not 0";
  if (!d.open || d.detaching) return d.name + " is being attached or detached";
  return {};
}

void detaching::db_detach(const request_of<control::db_detach>& id, const caller& by,
                          const answer_to<control::db_detach>& answer) {
  const auto* d = databases_.find(id);
  if (!d && !by.client) return answer.good();  // for a node that detaches it everywhere
  if (!d) return answer.fail("unknown database");
  if (const auto why = keeps_attached(*d); !why.empty()) return answer.fail(why);
  if (!by.client) return detach_here(id, answer.plain());
  ask_whether({id, detach_now::step::ask, port_.env.loop.now() + patience, answer.plain()});
}

std::vector<pnn> detaching::others() const {
  auto all = port_.destinations(pnn::broadcast_connected);
  std::erase(all, port_.env.self);
  return all;
}

/// `then` gets what those say that answer `why_not` with words; with nobody to ask at once.
template <control C, class Request, class WhyNot, class Then>
void detaching::ask_all(const Request& request, duration limit, WhyNot why_not, Then then) {
  struct answers {
    std::size_t left = 0;
    std::string refused{};
  };
  const auto nodes = others();
  const auto all = std::make_shared<answers>(answers{.left = nodes.size()});
  if (nodes.empty()) return then(all->refused);
  for (pnn n : nodes)
    calls_.ask<C>(n, request, limit, replier([all, n, why_not, then](control_answer a) {
                    if (const std::string why = why_not(a); !why.empty())
                      all->refused += fmt::format("{}node {} {}", all->refused.empty() ? "" : "; ",
                                                  number(n), why);
                    if (--all->left == 0) then(all->refused);
                  }));
}

/// Once they have begun there is no way back: what can be refused is asked before.
void detaching::ask_whether(const detach_now& m) {
  const tunable_name may_attach{.name = info_of(tunable::allow_client_db_attach).name};
  const auto why_not = [](const control_answer& a) -> std::string {
    const auto value = decode_reply<control::get_tunable>(a.data);
    if (a.status != 0 || !value) return "does not say whether it would: " + a.text;
    return *value == 0 ? "" : "lets clients attach it again: AllowClientDBAttach is not 0";
  };
  ask_all<control::get_tunable>(
      may_attach, patience, why_not, [me = port_.self, m](const std::string& refused) {
        if (!refused.empty()) return m.answer.fail(refused + "; nothing was detached");
        me.tell(detach_now{m.id, detach_now::step::ask, m.until, m.answer});
      });
}

/// The others first: what they refuse stays here, where the client sees it.
void detaching::ask_others(const detach_now& m) {
  const auto why_not = [](const control_answer& a) {
    return a.status == 0 ? std::string() : "keeps it: " + a.text;
  };
  ask_all<control::db_detach>(
      m.id, port_.control_limit(), why_not,
      [me = port_.self, m, &loop = port_.env.loop](const std::string& refused) {
        if (!refused.empty() && loop.now() >= m.until)
          return m.answer.fail(refused + "; others may have detached it: try again");
        const auto next = refused.empty() ? detach_now::step::here : detach_now::step::again;
        me.tell(detach_now{m.id, next, m.until, m.answer});
      });
}

void detaching::go_on(const detach_now& m) {
  switch (m.next) {
    case detach_now::step::ask: return ask_others(m);
    case detach_now::step::again: return in_a_moment(m);
    case detach_now::step::here: break;
  }
  const auto* d = databases_.find(m.id);
  if (!d) return m.answer.good();
  const auto why = keeps_attached(*d);
  if (why.empty()) return detach_here(m.id, m.answer);
  if (port_.env.loop.now() >= m.until)
    return m.answer.fail(why + "; others may have detached it: try again");
  in_a_moment(m);
}

/// Whoever lacked it may have been given it again by the recovery: all are asked.
void detaching::in_a_moment(const detach_now& m) {
  port_.env.loop.after(
      pause, [me = port_.self, next = detach_now{m.id, detach_now::step::ask, m.until, m.answer}] {
        me.tell(next);
      });
}

void detaching::detach_here(db_id id, const replier& answer) {
  auto& d = databases_.all().at(id);
  d.detaching = true;
  d.open = false;
  d.attaching.push_back(answer);  // answered when the file is closed
  port_.note(event::detach{}, id);
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
