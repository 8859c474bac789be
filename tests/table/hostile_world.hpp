#pragma once
/// A record table that a hostile client shares: it writes anything anywhere into the memory, between any two steps of the node
/// and of a client that means well. The numbers that decide come from a seed (hostile_test.cpp) or from a fuzzer's input
/// (tests/fuzz/fuzz_table.cpp).
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/table/record_table.hpp"
#include "actors/table/table_user.hpp"

namespace floe::table_test {

class hostile_world {
 public:
  explicit hostile_world(std::function<std::uint64_t()> chance);

  /// What the hostile client writes, then a step of the node or of the sound client.
  void step();
  /// The node drops all that is there; a new record must be whole then.
  void end();
  /// What did not hold; empty: all did.
  const std::string& broken() const { return broken_; }

 private:
  void scribble();
  void one_of_the_client(const bytes& key);
  void client_is_new();
  void demand(bool holds, const char* what) {
    if (!holds && broken_.empty()) broken_ = what;
  }

  std::function<std::uint64_t()> chance_;
  std::shared_ptr<table_memory> memory_;
  record_table table_;
  std::uint32_t client_;
  std::string broken_;
};

}  // namespace floe::table_test
