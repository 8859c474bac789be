#include "actors/node/registry/detach.hpp"

#include <fmt/format.h>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"

namespace floe {

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
  auto others = port_.destinations(pnn::broadcast_connected);
  std::erase(others, port_.env.self);
  if (others.empty()) return detach_here(id, answer.plain());
  ask_others(id, std::move(others), answer.plain());
}

/// The others first: what they refuse stays here, where the client sees it.
void detaching::ask_others(db_id id, std::vector<pnn> others, const replier& answer) {
  struct round {
    std::size_t left;
    std::string refused;
  };
  const auto all = std::make_shared<round>();
  all->left = others.size();
  for (pnn n : others)
    calls_.ask<control::db_detach>(
        n, id, std::chrono::seconds(port_.tunables[tunable::control_timeout]),
        replier([me = port_.self, all, n, id, answer](control_answer a) {
          if (a.status != 0)
            all->refused += fmt::format("{}node {} keeps it: {}", all->refused.empty() ? "" : "; ",
                                        number(n), a.text.empty() ? "refused" : a.text);
          if (--all->left > 0) return;
          if (!all->refused.empty()) return answer.fail(all->refused);
          me.tell(detach_now{id, answer});
        }));
}

void detaching::now(const detach_now& m) {
  const auto* d = databases_.find(m.id);
  if (!d) return m.answer.good();
  if (const auto why = keeps_attached(*d); !why.empty()) return m.answer.fail(why);
  detach_here(m.id, m.answer);
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
