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

struct answers {
  explicit answers(std::size_t of) : left(of) {}
  void refused(pnn n, const std::string& why) {
    words += fmt::format("{}node {} {}", words.empty() ? "" : "; ", number(n), why);
  }
  std::size_t left;
  std::string words;
};

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

/// Once they have begun there is no way back: what can be refused is asked before.
void detaching::ask_whether(const detach_now& m) {
  const auto nodes = others();
  const auto all = std::make_shared<answers>(nodes.size());
  if (all->left == 0) return go_on({m.id, detach_now::step::here, m.until, m.answer});
  for (pnn n : nodes)
    calls_.ask<control::get_tunable>(
        n, {.name = info_of(tunable::allow_client_db_attach).name}, patience,
        replier([me = port_.self, all, n, m](control_answer a) {
          const auto value = decode_reply<control::get_tunable>(a.data);
          if (a.status != 0 || !value)
            all->refused(n, "does not say whether it would: " + a.text);
          else if (*value != 0)
            all->refused(n, "lets clients attach it again: AllowClientDBAttach is not 0");
          if (--all->left > 0) return;
          if (!all->words.empty()) return m.answer.fail(all->words + "; nothing was detached");
          me.tell(detach_now{m.id, detach_now::step::ask, m.until, m.answer});
        }));
}

/// The others first: what they refuse stays here, where the client sees it.
void detaching::ask_others(const detach_now& m) {
  const auto nodes = others();
  const auto all = std::make_shared<answers>(nodes.size());
  if (all->left == 0) return go_on({m.id, detach_now::step::here, m.until, m.answer});
  for (pnn n : nodes)
    calls_.ask<control::db_detach>(
        n, m.id, std::chrono::seconds(port_.tunables[tunable::control_timeout]),
        replier([me = port_.self, all, n, m, &loop = port_.env.loop](control_answer a) {
          if (a.status != 0) all->refused(n, "keeps it: " + a.text);
          if (--all->left > 0) return;
          if (all->words.empty())
            return me.tell(detach_now{m.id, detach_now::step::here, m.until, m.answer});
          if (loop.now() >= m.until)
            return m.answer.fail(all->words + "; others have detached it: try again");
          me.tell(detach_now{m.id, detach_now::step::again, m.until, m.answer});
        }));
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
    return m.answer.fail(why + "; others have detached it: try again");
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
