#include "actors/node/messaging/recovery_announcer.hpp"

#include <utility>

#include "protocol/messages.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

database_phase phase_of(freeze_state s) {
  switch (s) {
    case freeze_state::thawed: return database_phase::serving;
    case freeze_state::freezing: return database_phase::freezing;
    case freeze_state::frozen: return database_phase::frozen;
    case freeze_state::in_transaction: return database_phase::exchanging;
  }
  std::unreachable();
}

}  // namespace

recovery_announcer::recovery_announcer(node_port& port, messaging& m) : port_(port), messaging_(m) {
  messaging_.greet(message::floe_recovery_news, [this] { return everything(); });
}

bool recovery_announcer::active() const { return port_.view().mode == recovery_mode::active; }

bytes recovery_announcer::everything() const {
  recovery_news news{.whole = 1, .active = active() ? 1U : 0U, .databases = {}};
  for (const auto& [id, state] : not_serving_) news.databases.push_back(state);
  return wire::encode(news);
}

void recovery_announcer::tell(const recovery_news& news) {
  if (messaging_.is_heard(message::floe_recovery_news))
    messaging_.send(port_.env.self, message::floe_recovery_news, wire::encode(news));
}

void recovery_announcer::view_changed() {
  if (active() == told_active_) return;
  told_active_ = active();
  tell({.active = told_active_ ? 1U : 0U, .databases = {}});
}

void recovery_announcer::changed(const database_changed& m) {
  const database_news now{.db_id = m.id, .phase = phase_of(m.state), .generation = m.gen};
  const auto known = not_serving_.find(m.id);
  const bool served = known == not_serving_.end();
  if (now.phase == database_phase::serving) {
    if (served) return;
    not_serving_.erase(known);
  } else {
    if (!served && known->second == now) return;
    not_serving_.insert_or_assign(m.id, now);
  }
  tell({.active = active() ? 1U : 0U, .databases = {now}});
}

void recovery_announcer::closed(db_id id) {
  if (not_serving_.erase(id) > 0)
    tell({.active = active() ? 1U : 0U, .databases = {{.db_id = id}}});
}

}  // namespace floe
