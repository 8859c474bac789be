#pragma once
/// Who holds and who waits for record locks in the whole cluster, put together from the reports of
/// its nodes; and who waits for whom in a circle.
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe::cli {

struct lock_owner {
  pnn node{0};  ///< the node the client is connected to
  std::uint64_t client = 0;
  std::int64_t pid = 0;
  std::string name;
  bool operator==(const lock_owner&) const = default;
};
/// "smbd (pid 123, node 0)"
std::string to_text(const lock_owner&);

struct held_record {
  lock_owner who;
  std::string db;
  bytes key;
  double age_ms = 0;
};
struct awaited_record {
  pnn queue{0};    ///< the node in whose queue it stands
  lock_owner who;  ///< client 0: another node's request
  std::string db;
  bytes key;
  double age_ms = 0;
  std::string why;  ///< the node's words
};
struct database_state {
  pnn node{0};
  std::string db;
  std::string state;  ///< thawed, freezing, frozen, in_transaction
  double age_ms = 0;
};

struct lock_picture {
  std::vector<held_record> held;
  std::vector<awaited_record> waiting;
  std::vector<database_state> databases;
  /// The recovery under way freezes all databases before it goes on with any.
  bool freeze_all = false;

  /// Adds one node's answer to GET_LOCKS or GET_NODE_STATUS; false if it is not understood.
  bool add(std::string_view report);
};

/// What it waits for: the holder by name, wherever it is; else the words of the node in whose queue it stands.
std::string why_text(const lock_picture&, const awaited_record&);

/// One sentence for each step of a circle, the last leading back to the first; empty if there is
/// none.
std::vector<std::string> find_cycle(const lock_picture&);
/// Those whose end would open it, in its order.
std::vector<lock_owner> clients_in_cycle(const lock_picture&);

}  // namespace floe::cli
