#pragma once
/// What the storage of a database has refused, since when, and whether there is room again for what a recovery brings.
#include <cstdint>
#include <string>

#include "actors/database/database_port.hpp"
#include "storage/recovery_set.hpp"

namespace floe {

class storage_trouble {
 public:
  explicit storage_trouble(const database_port& port) : port_(port) {}

  void failed(const char* doing, const store_error&);
  /// Something has been stored.
  void works() {
    what_.clear();
    corrupt_ = false;
  }
  /// Its file is damaged.
  bool corrupt() const { return corrupt_; }
  /// What the storage refuses; empty: nothing, as far as is known.
  const std::string& what() const { return what_; }
  time_point since() const { return since_; }
  /// What it said last when it refused something.
  const std::string& last_refusal() const { return last_refusal_; }

  /// What a recovery brings cannot be stored here, and the others have it: the node leaves, and comes back when there is
  /// room, if that is what is missing. Else the ban lasts its time. A volatile database whose file is damaged is no reason: the
  /// next recovery makes it anew (open_transaction).
  /// What a tool brings is no reason either: who could not store it is given it by the recovery that follows, and what only this
  /// node has of other databases is given to the others with that.
  void leave_without_room(const recovery_set& brought, const store_error&, bool of_tool);
  /// A recovery has been stored.
  void found_room();
  /// From time to time, while room is looked for.
  void on(const db_look_for_room&);

 private:
  void look_later();

  const database_port& port_;
  std::string last_refusal_;
  std::string what_;
  bool corrupt_ = false;
  time_point since_;
  unsigned failures_ = 0;  ///< searches since a commit has found room: who finds some may be wrong
  std::uint64_t bytes_ = 0;  ///< what the last of them needed; 0: nothing is looked for
};

}  // namespace floe
