#include "cli/hold_transactions.hpp"

#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/types/record_content.hpp"

namespace floe::cli {

held_transactions::~held_transactions() {
  if (!held_) return;
  (void)node_->wait<void>(
      [&](auto finished) { held_->cancel(std::chrono::seconds(10), finished); });
}

std::expected<held_transactions, exit_code> hold_transactions(context& c, blocking_client& node,
                                                              db_id db, db_kind kind,
                                                              const std::string& what) {
  if (kind == db_kind::volatile_db) return held_transactions(node, nullptr);
  c.wants(db_id_of(g_lock_db), transaction_lock_key(db));
  auto t = node.wait<transaction::ptr>([&](auto finished) {
    transaction::start(node.async(), db, transaction::mode::read_write, c.long_patience(),
                       finished);
  });
  c.wants(db, {});
  if (t) return held_transactions(node, *t);
  if (t.error().code == client_errc::refused) return held_transactions(node, nullptr);
  return std::unexpected(c.fail(what, t.error()));
}

}  // namespace floe::cli
