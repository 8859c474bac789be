#pragma once
/// What a simulated client gets of a record table in place of descriptors: the memory itself, and the way to wake the
/// node. As long as it has this, it may write into the memory.
#include <functional>
#include <memory>

#include "actors/table/memory.hpp"
#include "protocol/bytes.hpp"

namespace floe {

struct shared_in_process {
  std::shared_ptr<table_memory> memory;
  std::function<void()> ring;
  /// Somebody watches the simulation: is told what this client does there, at that moment. May be empty.
  enum class act : std::uint8_t { locked, stored, let_go };
  std::function<void(act, byte_view key, std::uint64_t rsn, bool deleted)> seen;
};

}  // namespace floe
