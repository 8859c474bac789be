#pragma once
/// What a simulated client gets of a record table in place of descriptors: the memory itself, and the way to wake the
/// node. As long as it has this, it may write into the memory.
#include <functional>
#include <memory>

#include "actors/table/memory.hpp"

namespace floe {

struct shared_in_process {
  std::shared_ptr<table_memory> memory;
  std::function<void()> ring;
};

}  // namespace floe
