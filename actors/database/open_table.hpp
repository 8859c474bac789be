#pragma once
/// What a database knows about its record table beside the table itself: which client has which number in it, and how
/// long each record has been there. What is done with it: hot_records.hpp.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "actors/runtime/event_loop.hpp"
#include "actors/session/session_message.hpp"
#include "actors/table/record_table.hpp"
#include "actors/table/shared_in_process.hpp"
#include "protocol/rules/hot_record.hpp"

namespace floe {

/// A record's stay in the table, by slot.
struct table_stay {
  stay_so_far seen;
  std::uint64_t locks_before = 0;  ///< of its slot, when it came
  bool timer = false;              ///< a db_table_recall is on its way
};

struct open_table {
  explicit open_table(event_loop& l) : loop(l) {}
  ~open_table();
  open_table(const open_table&) = delete;

  /// The process of a client: as long as it runs it may write into the memory.
  struct process {
    pid_t pid = 0;
    std::weak_ptr<shared_in_process> simulated;
  };
  struct user {
    client_ref client;
    std::uint32_t number = 0;
    std::weak_ptr<shared_in_process> simulated;  ///< its mapping, in simulations
  };
  event_loop& loop;
  const std::shared_ptr<bool> lives = std::make_shared<bool>(true);  ///< for simulated clients
  std::unique_ptr<record_table> table;
  int wake_fd = -1;            ///< an eventfd that clients write to
  time_point no_room_until{};  ///< the store could not take something; nothing is tried before
  std::map<std::uint64_t, user> users;           ///< by client id
  std::map<std::uint32_t, std::uint64_t> id_of;  ///< client id by number
  std::map<std::uint32_t, process> running_on;  ///< disconnected, but their process may still write
  std::map<std::uint32_t, table_stay> stays;    ///< by slot
  std::unordered_map<bytes, stay_history> history;  ///< of records that have left
  std::map<std::pair<std::uint32_t, table_holder>, time_point>
      waits;  ///< since when which thread was seen to wait
  /// Hashes of keys that were read by the socket lately, each in its place.
  std::array<std::uint64_t, 256> read_by_socket{};
  bool ticking = false;
  unsigned ticks = 0;

  /// Whether that key has been read before, as far as is remembered; from now on it has.
  bool was_read(std::uint64_t hash) {
    auto& place = read_by_socket[hash % read_by_socket.size()];
    return std::exchange(place, hash) == hash;
  }

  const user* user_of(table_holder h) const {
    const auto id = id_of.find(client_of(h));
    if (id == id_of.end()) return nullptr;
    return &users.at(id->second);
  }
};

/// Whether no thread of the process can touch its memory any more. "No" also if it cannot be told.
bool is_gone(const open_table::process&, bool simulated);

}  // namespace floe
