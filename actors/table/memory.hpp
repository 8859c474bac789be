#pragma once
/// The memory of a record table: a sealed memfd that processes share, or ordinary memory for simulations, in which all
/// are one process. Reports failure as text; a mapping of a size that does not fit its head is refused.
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "actors/table/layout.hpp"

namespace floe {

class table_memory {
 public:
  /// Node: a new memfd, sealed against growing and shrinking, so that no mapping of it can ever fault.
  static std::expected<std::shared_ptr<table_memory>, std::string> create_shared(table_size);
  /// Simulations and tests with threads.
  static std::shared_ptr<table_memory> create_private(table_size);
  /// Client: maps what the node has sent. Takes the descriptor, and closes it in any case. The mapping is not inherited by
  /// a child of fork, which must not act in its parent's name.
  static std::expected<std::shared_ptr<table_memory>, std::string> map(int fd);
  ~table_memory();
  table_memory(const table_memory&) = delete;

  /// The memfd; -1 for ordinary memory and mappings.
  int descriptor() const { return fd_; }
  const table_size& size() const { return size_; }
  table_head& head() const { return *head_; }
  /// Slots are numbered set by set.
  table_slot& slot(std::uint32_t i) const { return sets_[i / table_ways].slots[i % table_ways]; }
  table_word& tag(std::uint32_t i) const { return sets_[i / table_ways].tags[i % table_ways]; }
  std::uint32_t slots() const { return size_.sets * static_cast<std::uint32_t>(table_ways); }
  table_set& set(std::uint32_t i) const { return sets_[i]; }
  std::uint32_t set_of(std::uint64_t hash) const {
    return static_cast<std::uint32_t>(hash >> 32) & (size_.sets - 1);
  }
  table_word* area(std::uint32_t word) const { return area_ + word; }
  /// The sequence number of the database as this table has counted it.
  std::uint64_t stores() const;
  void count_store(std::uint32_t client) const {
    head_->stores[client % table_counters].value.fetch_add(1, std::memory_order_release);
  }

 private:
  table_memory(void* at, table_size size, int fd, bool mapped);

  table_size size_;
  void* at_;
  int fd_;
  bool mapped_;
  table_head* head_;
  table_set* sets_;
  table_word* area_;
};

}  // namespace floe
