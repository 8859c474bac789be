#pragma once
/// Tools freeze databases to replace their content. One that ends in the middle cannot thaw them any more: what each
/// client has frozen, on which node, and not thawed.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "protocol/ids.hpp"
#include "protocol/packet.hpp"

namespace floe {

class client_freezes {
 public:
  /// A control on its way from a client to a node.
  void remember(std::uint64_t client, pnn to, const req_control&);
  /// A recovery thaws everything.
  void forget_all() { frozen_.clear(); }
  /// One of the databases that a client that is gone has left frozen, if any.
  std::optional<db_id> left_by(std::uint64_t client);

 private:
  std::map<std::uint64_t, std::set<std::pair<pnn, db_id>>> frozen_;
};

}  // namespace floe
