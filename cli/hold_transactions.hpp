#pragma once
/// Keeps transactions away from a database while a command replaces its content: else one that
/// began before would store what it took from the old content into the new one.
#include <expected>
#include <string>

#include "actors/client/transaction.hpp"
#include "cli/context.hpp"

namespace floe::cli {

class held_transactions {
 public:
  held_transactions(blocking_client& node, transaction::ptr held)
      : node_(&node), held_(std::move(held)) {}
  ~held_transactions();
  held_transactions(held_transactions&&) = default;
  held_transactions& operator=(held_transactions&&) = delete;

 private:
  blocking_client* node_;
  transaction::ptr held_;  ///< null: there is nothing to keep away, or no way to
};

/// Waits for a transaction that is going on. Nothing is held for volatile databases, and on a node
/// of CTDB's, where only CTDB's own tool can take this lock. An error is printed.
std::expected<held_transactions, exit_code> hold_transactions(context&, blocking_client& node,
                                                              db_id, db_kind,
                                                              const std::string& what);

}  // namespace floe::cli
