#include "actors/client/recovery_watch.hpp"

#include <algorithm>

#include "protocol/messages.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

recovery_watch::~recovery_watch() {
  if (begun_) client_.unlisten(message::floe_recovery_news);
}

void recovery_watch::begin(duration patience, when_done<void> done) {
  begun_ = true;
  client_.listen(
      message::floe_recovery_news, [this](const client_message& m) { heard(m.data); }, patience,
      std::move(done));
}

database_phase recovery_watch::phase(db_id db) const {
  const auto known = waiting_.find(db);
  return known == waiting_.end() ? database_phase::serving : known->second.phase;
}

void recovery_watch::heard(byte_view data) {
  const auto news = wire::decode<recovery_news>(data);
  if (!news) return;  // of anybody who sends to this srvid
  if ((news->active != 0) != active_) {
    active_ = news->active != 0;
    if (changed_) changed_({.active = active_});
  }
  if (news->whole != 0) {
    auto gone = waiting_;
    for (const auto& d : news->databases) gone.erase(d.db_id);
    for (auto& [id, was] : gone) {
      was.phase = database_phase::serving;
      take(was);
    }
  }
  for (const auto& d : news->databases) take(d);
}

void recovery_watch::take(const database_news& now) {
  if (now.phase == database_phase::serving)
    waiting_.erase(now.db_id);
  else
    waiting_.insert_or_assign(now.db_id, now);
  if (changed_)
    changed_(
        {.db = now.db_id, .active = active_, .phase = now.phase, .generation = now.generation});
}

}  // namespace floe
