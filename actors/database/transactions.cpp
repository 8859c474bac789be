/// Transactions on persistent and replicated databases: the commit of a client of this node
/// (TRANS3_COMMIT), and storing what the node of any client sends (UPDATE_RECORD), durable before
/// the answer. What follows from what is in protocol/rules/commit.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "actors/database/database.hpp"
#include "actors/database/kept_past.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/record_limits.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::uint32_t out = node_flag::banned | node_flag::stopped;

/// All nodes that take part in the cluster, this one included, as far as it knows.
std::vector<pnn> active_nodes(const cluster_view& v) {
  std::vector<pnn> all;
  for (std::size_t i = 0; i < v.nodes.size(); ++i)
    if (!(v.nodes[i].flags & node_flag::inactive))
      all.push_back(pnn{static_cast<std::uint32_t>(i)});
  return all;
}

bytes too_large_text() {
  return fmt::format("a record is too large: key and data of {} bytes at most", record_size_max);
}

bool has_too_large(const rec_buffer& records) {
  return std::ranges::any_of(records, [](const rec_data& r) {
    return r.key.size() + r.data.size() > record_size_max + record_header::wire_size;
  });
}

}  // namespace

// --- the node of the client ------------------------------------------------------------------------------------------

void database::trans3_commit(db_control& m) {
  const auto& request = std::get<req_control>(m.packet->content.body);
  const auto& records = m.request<control::trans3_commit>();
  if (!m.client) return m.answer.fail("not the records of a transaction");
  if (has_too_large(records)) return m.answer.fail(too_large_text());
  const auto nodes = who_must_store(env_.self, view_->map, active_nodes(*view_));
  for (pnn n : view_->map)
    if (!reachable(n))
      return m.answer.fail(
          fmt::format("node {} of the cluster is not connected to this one", number(n)));
  const auto refused = commit_.begin(view_->mode, config_.kind, env_.self, nodes);
  if (refused != commit_refusal::none) return m.answer.fail(std::string(name(refused)));
  commit_answer_ = m.answer;
  commit_client_ = m.client->id;
  commit_since_ = env_.loop.now();
  note(event::commit_begin{.commit = commit_.number(),
                           .client = m.client->id,
                           .pid = m.client->pid,
                           .records = records.count(),
                           .nodes = nodes.size()});
  for (pnn n : nodes)
    node_.tell(call_control{
        .to = n,
        .opcode = control::update_record,
        .data = bytes(request.data),
        .patience = config_.update_patience,
        .answer = replier([to = self(), commit = commit_.number(), n](control_answer a) {
          to.tell(db_update_answer{commit, n, std::move(a)});
        })});
}

void database::on(db_update_answer& m) {
  const bool refused = m.answer.status != 0 && m.answer.cause == failure_cause::refused;
  follow(commit_.answered(
      m.commit, m.node, m.answer.status == 0 || (refused && good_without(m.node, view_->map)),
      m.answer.text.empty() ? fmt::format("status {}", m.answer.status) : m.answer.text));
}

void database::follow(const commit_step& s) {
  if (!s.recover.empty()) {
    note(event::commit_undecided{.commit = commit_.number(), .why = s.recover});
    node_.tell(want_recovery{fmt::format("{}: {}", config_.name, s.recover)});
  }
  if (!s.answer) return;
  if (*s.answer == 0 && config_.witness)
    witness(&database_witness::acknowledged_transaction, sequence_number());
  note(event::commit_end{.commit = commit_.number(), .status = *s.answer});
  std::exchange(commit_answer_, {})
      .status(*s.answer, *s.answer == 0 ? "" : "a recovery came in between");
}

std::string database::describe_commit() const {
  if (commit_.state() == commit_state::idle) return {};
  if (commit_.state() == commit_state::undecided) return "waits for a recovery";
  std::string nodes;
  for (pnn n : commit_.waiting_for()) nodes += fmt::format(" {}", number(n));
  return "waits for nodes" + nodes;
}

// --- every node ------------------------------------------------------------------------------------------------------

void database::update_record(db_control& m) {
  const auto& packet = m.packet->content;
  // tools have no generation; a node's request of an earlier one was settled by the recovery in
  // between
  // A node may be kept from leaving a recovery for seconds, by a test of the cluster lock that hangs; its databases are
  // thawed long before, and take transactions. If they did not, each would ask for another recovery.
  const bool open = thawed() && map_applies(gen_, view_->gen);
  const auto refused =
      check_update(open ? recovery_mode::normal : view_->mode, view_->own_flags() & out,
                   m.client ? view_->gen : packet.header.gen, view_->gen);
  if (refused != update_refusal::none) return m.answer.fail(std::string(name(refused)));
  // frozen without a recovery: somebody wipes or restores it and will soon be done
  if (!open) return until_thaw_.push_back(std::move(m));
  const auto& records = m.request<control::update_record>();
  if (m.client && has_too_large(records)) return m.answer.fail(too_large_text());
  if (config_.kind == db_kind::volatile_db) return take_copy_back(m);

  auto changes = changes_of(m, records);
  if (!changes) return m.answer.fail(changes.error());
  // the store changes hands only without an open group
  if (auto done = store_->flush(); !done) {
    storage_failed("commit", done.error());
    return m.answer.fail("cannot commit what was stored before: " + done.error().text);
  }
  auto past = written_in(past_, gen_);
  const auto kept = std::make_shared<const bytes>(
      past_bytes(past, sequence_number_in(*changes, sequence_number())));
  changes->push_back(change::set_meta(past_name, *kept));
  give_store_away(store_use::updating);
  auto result = std::make_shared<std::expected<void, store_error>>();
  auto work = [store = store_, packet = m.packet, changes = std::move(*changes), kept, result] {
    *result = store->apply(changes, durability::committed);
  };
  auto finish = [this, answer = m.answer, past = std::move(past), result] {
    if (*result) {
      past_ = past;
      storage_works();
      count_change();
      return answer.good();
    }
    storage_failed("store a transaction", result->error());
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
        storage_failed("read", found.error());
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
