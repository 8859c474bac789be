#pragma once
/// Tells clients of this node that have registered for FLOE_RECOVERY_NEWS what recoveries do here: recovery mode, and the
/// phase of each database that does not serve. Who registers is told all at once, then every change.
#include <map>

#include "actors/node/messaging/messaging.hpp"
#include "actors/node/node_message.hpp"
#include "protocol/types/recovery_news.hpp"

namespace floe {

class recovery_announcer {
 public:
  recovery_announcer(node_port&, messaging&);

  void view_changed();
  void changed(const database_changed&);
  /// It is gone, in whatever state it was.
  void closed(db_id);

 private:
  bytes everything() const;
  bool active() const;
  void tell(const recovery_news&);

  node_port& port_;
  messaging& messaging_;
  bool told_active_ = false;
  std::map<db_id, database_news> not_serving_;
};

}  // namespace floe
