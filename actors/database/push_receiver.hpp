#pragma once
/// The records that a recovery gives to this node's copy of a database: they come as messages between DB_PUSH_START and
/// DB_PUSH_CONFIRM, which is answered with their number, and are kept for the commit.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "actors/database/database_port.hpp"
#include "storage/recovery_set.hpp"

namespace floe {

struct rec_data;

class push_receiver {
 public:
  explicit push_receiver(const database_port& port) : port_(port) {}

  /// Ends the one before.
  void start(floe::srvid);
  void stop();
  bool is_on() const { return now_.has_value(); }
  /// So many records have come, or what was wrong with one of the buffers.
  std::expected<std::uint32_t, std::string> count() const;

  /// What the records are for.
  struct purpose {
    bool equal = false;       ///< all nodes get the same, which is stored as it is
    bool difference = false;  ///< of an equal content: a record without header and data is gone
  };
  void on(const db_push&, purpose, recovery_set& kept);

 private:
  struct push {
    floe::srvid srvid{0};
    std::uint32_t count = 0;
    std::string error;
  };

  /// False: the rest of its buffer is not looked at.
  bool take(const rec_data&, purpose, recovery_set& kept);

  const database_port& port_;
  std::optional<push> now_;
};

}  // namespace floe
