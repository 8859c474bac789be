#pragma once
/// What recoveries do on the client's own node, so that a program can say why it waits:
///
///   recovery_watch watch(c, [](const recovery_change& r) { ... });
///   watch.begin(3s, [](const result<void>& r) { ... });   // refused by a ctdbd: it does not tell
///   ...
///   if (watch.phase(db) != database_phase::serving) say("locking.tdb is " + name(watch.phase(db)));
///
/// The node tells every change and, to who begins, all that is so at that moment; a client that has come back after a loss is
/// told anew. While the client is not connected nothing is known, and what was known stays. Belongs to the loop's thread;
/// must not outlive its client. One for each client.
#include <functional>
#include <map>

#include "actors/client/records.hpp"
#include "protocol/types/recovery_news.hpp"

namespace floe {

struct recovery_change {
  db_id db{0};  ///< 0: the node as a whole
  bool active =
      false;  ///< the node's recovery mode is ACTIVE: databases will freeze, are frozen, or may be
  database_phase phase = database_phase::serving;  ///< of the database
  floe::generation generation = floe::generation::invalid;
};

class recovery_watch {
 public:
  using observer = std::function<void(const recovery_change&)>;
  explicit recovery_watch(client& c, observer changed = nullptr)
      : client_(c), changed_(std::move(changed)) {}
  ~recovery_watch();
  recovery_watch(const recovery_watch&) = delete;

  /// `done` when the node has taken the registration; what is so now comes right after.
  void begin(duration patience, when_done<void> done);
  bool active() const { return active_; }
  database_phase phase(db_id) const;
  /// Those that do not serve.
  const std::map<db_id, database_news>& waiting() const { return waiting_; }

 private:
  void heard(byte_view);
  void take(const database_news&);

  client& client_;
  observer changed_;
  bool begun_ = false;
  bool active_ = false;
  std::map<db_id, database_news> waiting_;
};

}  // namespace floe
