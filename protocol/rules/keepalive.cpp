#include "protocol/rules/keepalive.hpp"

#include <utility>

namespace floe {

peer_silence::verdict peer_silence::tick(bool connected, std::uint32_t limit) {
  if (!connected) {
    reset();
    return verdict::nothing;
  }
  missed_ = std::exchange(heard_, false) ? 0 : missed_ + 1;
  return missed_ >= limit ? verdict::dead : verdict::send_keepalive;
}

version_verdict judge_version(const keepalive_claim& own, const keepalive_claim& sender,
                              bool allow_mixed) {
  if (own.version == sender.version) return version_verdict::fits;
  if (allow_mixed) return version_verdict::tolerate;
  if (!sender.version) return version_verdict::shut_down;
  const bool leave = own.uptime_s != sender.uptime_s ? own.uptime_s < sender.uptime_s
                                                     : own.version < sender.version;
  return leave ? version_verdict::shut_down : version_verdict::tolerate;
}

}  // namespace floe
