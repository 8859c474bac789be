#include "actors/node/registry/client_freezes.hpp"

#include "protocol/controls.hpp"

namespace floe {

void client_freezes::remember(std::uint64_t client, pnn to, const req_control& r) {
  if (r.opcode == control::db_freeze) {
    if (const auto db = decode_request<control::db_freeze>(r.data))
      frozen_[client].emplace(to, *db);
  } else if (r.opcode == control::db_thaw) {
    if (const auto db = decode_request<control::db_thaw>(r.data)) frozen_[client].erase({to, *db});
  }
}

std::optional<db_id> client_freezes::left_by(std::uint64_t client) {
  const auto left = frozen_.extract(client);
  if (!left || left.mapped().empty()) return std::nullopt;
  return left.mapped().begin()->second;
}

}  // namespace floe
