#include "protocol/rules/g_lock.hpp"

#include <algorithm>

namespace floe {
namespace {
constexpr std::uint64_t our_srvids = 0x464C000000000000;
}

server_id floe_lock_owner(std::int32_t pid, pnn self, std::uint16_t nth) {
  const auto process = static_cast<std::uint32_t>(pid);
  return {.pid = process,
          .task_id = floe_lock_task,
          .vnn = self,
          .unique_id = our_srvids | static_cast<std::uint64_t>(nth) << 32 | process};
}

bool conflicts(const g_lock& holder, g_lock_type wanted, const server_id& by) {
  if (holder.holder == by) return false;
  return holder.type == g_lock_type::write || wanted == g_lock_type::write;
}

std::optional<server_id> join_or_blame(g_lock_list& list, g_lock_type wanted, const server_id& by,
                                       std::span<const server_id> dead) {
  std::erase_if(list.locks, [&](const g_lock& l) {
    return l.holder == by || std::ranges::find(dead, l.holder) != dead.end();
  });
  const auto other =
      std::ranges::find_if(list.locks, [&](const g_lock& l) { return conflicts(l, wanted, by); });
  if (other != list.locks.end()) return other->holder;
  list.locks.push_back({wanted, by});
  return std::nullopt;
}

bool leave(g_lock_list& list, const server_id& who) {
  return std::erase_if(list.locks, [&](const g_lock& l) { return l.holder == who; }) > 0;
}

}  // namespace floe
