/// Transactions of a drill's client on persistent and replicated databases.
#include <fmt/format.h>

#include <utility>

#include "actors/client/transaction.hpp"
#include "cli/drill/run/drill_client.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "protocol/hash.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr duration step_patience = 10s;
constexpr duration commit_patience = 30s;

/// A commit that was refused has not happened and never will; what was not heard of may have.
op_end end_of_commit(const client_error& e) {
  return e.code == client_errc::refused || e.code == client_errc::not_connected ? op_end::refused
                                                                                : op_end::unknown;
}

}  // namespace

/// One transaction, step by step: start, read every key, write, commit. Only looked at by callbacks of
/// its client, which end with it.
struct drill_client::transaction_run : std::enable_shared_from_this<transaction_run> {
  transaction_run(drill_client& c, std::size_t i, std::vector<std::string> k, transacted_end then)
      : of(c), index(i), keys(std::move(k)), tell(std::move(then)) {}

  drill_client& of;
  std::size_t index;
  std::vector<std::string> keys;
  transacted_end tell;
  transaction::ptr t;
  std::size_t next = 0;

  transacted& entry() const { return of.run_.past.transactions[index]; }

  void end(op_end how, std::string why = {}) {
    auto& e = entry();
    of.open_transactions_.erase(index);
    e.end = of.run_.now();
    e.result = how;
    e.error = std::move(why);
    if (how != op_end::done) ++of.run_.failures;
    if (of.run_.tracing()) of.note_transaction(e);
    if (tell) {
      const auto copy = e;
      tell(copy);
    }
  }

  /// Before anything was sent: nothing has happened.
  void give_up(const client_error& why) {
    if (t) t->cancel(step_patience, [keep = t](const result<void>&) {});
    end(op_end::refused, why.describe());
  }

  void begin(duration patience) {
    const auto mode =
        entry().writes.empty() ? transaction::mode::read_only : transaction::mode::read_write;
    transaction::start(*of.client_, db_id_of(entry().db), mode, patience,
                       [self = shared_from_this()](const result<transaction::ptr>& r) {
                         if (!r) return self->give_up(r.error());
                         self->t = *r;
                         self->read();
                       });
  }

  void read() {
    if (next == keys.size()) {
      next = 0;
      return write();
    }
    t->fetch(keys[next], step_patience,
             [self = shared_from_this()](const result<std::optional<bytes>>& r) {
               if (!r) return self->give_up(r.error());
               self->entry().seen[self->keys[self->next++]] = r->value_or(bytes());
               self->read();
             });
  }

  void write() {
    const auto& writes = entry().writes;
    if (next == writes.size()) return commit();
    const auto& [key, value] = *std::next(writes.begin(), static_cast<std::ptrdiff_t>(next++));
    t->store(key, value, step_patience, [self = shared_from_this()](const result<void>& r) {
      if (!r) return self->give_up(r.error());
      self->write();
    });
  }

  void commit() {
    t->commit(commit_patience, [self = shared_from_this()](const result<commit_result>& r) {
      if (!r) return self->end(end_of_commit(r.error()), r.error().describe());
      if (!self->entry().writes.empty()) self->entry().seqnum = r->seqnum;
      self->end(op_end::done);
    });
  }
};

void drill_client::note_transaction(const transacted& t) {
  std::string keys;
  for (const auto& [key, value] : t.writes.empty() ? t.seen : t.writes)
    keys += fmt::format(" {}={}", key, value);
  const char* how = t.result == op_end::done      ? "done"
                    : t.result == op_end::refused ? "refused"
                                                  : "unknown";
  run_.note(name_, fmt::format("{} {}{} on node {}: {}{}{}", t.writes.empty() ? "look" : "transact",
                               t.db, keys, node_, how,
                               t.seqnum ? fmt::format(" (sequence number {})", t.seqnum) : "",
                               t.error.empty() ? "" : " (" + t.error + ")"));
}

void drill_client::transact(const std::string& db, std::map<std::string, std::string> writes,
                            std::vector<std::string> reads, duration patience,
                            transacted_end tell) {
  auto keys = std::move(reads);
  for (const auto& [key, value] : writes) keys.push_back(key);
  const auto index = run_.past.transactions.size();
  run_.past.transactions.push_back(
      {.client = name_, .node = node_, .db = db, .writes = std::move(writes), .begin = run_.now()});
  open_transactions_.insert(index);
  std::make_shared<transaction_run>(*this, index, std::move(keys), std::move(tell))
      ->begin(patience);
}

/// The process has ended: nobody hears how it went.
void drill_client::leave_transactions() {
  for (const auto i : open_transactions_) {
    auto& t = run_.past.transactions[i];
    t.end = run_.now();
    t.result = op_end::unknown;
    t.error = "the client has ended";
  }
  open_transactions_.clear();
}

}  // namespace floe::cli::drill
