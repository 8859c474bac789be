#pragma once
/// What record_lock and transaction point to. Both may outlive their core.
#include "actors/async/core.hpp"

namespace floe::async::inside {

struct held_lock {
  std::weak_ptr<core> of;
  std::uint64_t life = 0;  ///< of the core, when it was granted
  std::uint64_t id = 0;    ///< 0: given back
  std::string data{};
  async::record_header header{};

  /// Whether it is as good as when it was granted.
  bool good(const std::shared_ptr<core>& c) const {
    return c && id != 0 && life == c->life && c->is_connected();
  }
};

struct open_transaction {
  std::weak_ptr<core> of;
  std::uint64_t life = 0;  ///< of the core, when it began
  floe::transaction::ptr is;
};

}  // namespace floe::async::inside
