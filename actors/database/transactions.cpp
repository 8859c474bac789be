/// Transactions on persistent and replicated databases: storing what the node of a client sends (UPDATE_RECORD), durable before
/// the answer. The client's node: client_commit.hpp. What follows from what: protocol/rules/commit.hpp.
#include <map>
#include <utility>

#include "actors/database/database.hpp"
#include "actors/database/kept_past.hpp"
#include "actors/database/sequence_number.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::uint32_t out = node_flag::banned | node_flag::stopped;

}  // namespace

void database::update_record(db_control& m, unsigned tries) {
  const auto& packet = m.packet->content;
  // A node may be kept from leaving a recovery for seconds, by a test of the cluster lock that hangs; its databases are
  // thawed long before, and take transactions. If they did not, each would ask for another recovery.
  const bool open = thawed() && port_.is_of_map();
  // tools have no generation; a node's request of an earlier one was settled by the recovery in between
  const auto refused =
      check_update(open ? recovery_mode::normal : view_->mode, view_->own_flags() & out,
                   m.client ? view_->gen : packet.header.gen, view_->gen);
  if (refused != update_refusal::none)
    return m.answer.fail(std::string(name(refused)), failure_cause::apart);
  // frozen without a recovery: somebody wipes or restores it and will soon be done
  if (!open) return until_thaw_.push_back(std::move(m));
  const auto& records = m.request<control::update_record>();
  if (m.client && has_too_large(records)) return m.answer.fail(too_large_text());
  if (config_.kind == db_kind::volatile_db) return update_volatile(m, tries);

  auto changes = changes_of(m, records);
  if (!changes) return m.answer.fail(changes.error());
  // the store changes hands only without an open group
  if (auto done = store_->flush(); !done) {
    storage_.failed("commit", done.error());
    return m.answer.fail("cannot commit what was stored before: " + done.error().text);
  }
  store_update(m, std::move(*changes));
}

/// Durable before the answer, on another thread.
void database::store_update(const db_control& m, std::vector<change> changes) {
  auto past = written_in(past_, gen_);
  const auto kept = std::make_shared<const bytes>(
      past_bytes(past, sequence_number_in(changes, sequence_number_of(*store_))));
  changes.push_back(change::set_meta(past_name, *kept));
  give_store_away(store_use::updating);
  auto result = std::make_shared<std::expected<void, store_error>>();
  const auto worked = std::make_shared<duration>();
  auto work = [store = store_, packet = m.packet, changes = std::move(changes), kept, result,
               worked] {
    *worked = processor_time_of([&] { *result = store->apply(changes, durability::committed); });
  };
  ++env_.count.childwrites;
  ++env_.count.childwrites_pending;
  auto finish = [this, answer = m.answer, past = std::move(past), result, worked,
                 since = env_.loop.now()] {
    --env_.count.childwrites_pending;
    env_.count.childwrite_latency.add(in_seconds(env_.loop.now() - since));
    meter_.worked_elsewhere(*worked);
    if (*result) {
      past_ = past;
      storage_.works();
      count_change();
      return answer.good();
    }
    storage_.failed("store a transaction", result->error());
    answer.fail("cannot store: " + result->error().text);
  };
  env_.loop.offload(std::move(work),
                    [to = self(), finish = std::move(finish)] { to.tell(db_work_done{finish}); });
}

/// What the records of a transaction change here; a text if they cannot be stored.
std::expected<std::vector<change>, std::string> database::changes_of(const db_control& m,
                                                                     const rec_buffer& records) {
  std::vector<change> changes;
  std::map<byte_view, std::pair<rsn, byte_view>>
      earlier;  // of this request: later records of a key win
  update_request request;
  for (const rec_data& raw : records) {
    const auto r = raw.as_record();
    if (!r) return std::unexpected<std::string>("a record without header");
    std::optional<update_present> here;
    if (auto e = earlier.find(r->key); e != earlier.end()) {
      here = {e->second.first, e->second.second == r->data};
    } else {
      auto found = store_->visit(r->key, [&](const record_view& old) {
        here = {old.header.rsn, old.data == r->data};
      });
      if (!found) {
        storage_.failed("read", found.error());
        return std::unexpected<std::string>("cannot read: " + found.error().text);
      }
      // CTDB's own client sends what a transaction has only read, too, as it is here; of a rival the number is here as well
      const bool as_it_is = here && here->same_data && here->rsn >= r->header.rsn;
      if (!as_it_is || r->key == sequence_number_key)
        request.saw(here, r->header.rsn, r->data.empty());
    }
    switch (decide_update(config_.kind, here, r->header.rsn)) {
      case update_outcome::skip: continue;
      case update_outcome::conflict:
        env_.log.tell(event::update_conflict{.db = config_.name,
                                             .from = m.from,
                                             .rsn = number(r->header.rsn),
                                             .here = number(here->rsn)});
        return std::unexpected<std::string>("a record here is newer");
      case update_outcome::store: break;
    }
    changes.push_back(change::put(*r));
    earlier[r->key] = {r->header.rsn, r->data};
  }
  if (request.is_another()) {
    env_.log.tell(event::update_rival{.db = config_.name, .from = m.from});
    return std::unexpected<std::string>("another transaction has this sequence number");
  }
  return changes;
}

/// Controls that waited for the database to be thawed, or for a recovery, which ends the wait of
/// transactions.
void database::serve_until_thaw() {
  for (auto& m : std::exchange(until_thaw_, {})) {
    database_message again(std::move(m));
    receive(again);
  }
}

}  // namespace floe
