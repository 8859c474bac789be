#include "actors/database/client_commit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/database/sequence_number.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/record_limits.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {
namespace {

/// All nodes that take part in the cluster, this one included, as far as it knows.
std::vector<pnn> active_nodes(const cluster_view& v) {
  std::vector<pnn> all;
  for (std::size_t i = 0; i < v.nodes.size(); ++i)
    if (!(v.nodes[i].flags & node_flag::inactive))
      all.push_back(pnn{static_cast<std::uint32_t>(i)});
  return all;
}

}  // namespace

bytes too_large_text() {
  return fmt::format("a record is too large: key and data of {} bytes at most", record_size_max);
}

bool has_too_large(const rec_buffer& records) {
  return std::ranges::any_of(records, [](const rec_data& r) {
    return r.key.size() + r.data.size() > record_size_max + record_header::wire_size;
  });
}

void client_commit::begin(db_control& m) {
  const auto& records = m.request<control::trans3_commit>();
  if (!m.client) return m.answer.fail("not the records of a transaction");
  if (has_too_large(records)) return m.answer.fail(too_large_text());
  auto unsure = unheard();
  if (unsure.empty() || port_.view->leader == port_.env.self) return send(m);
  if (port_.view->leader == pnn::unknown)
    return m.answer.fail(
        fmt::format("node {} is not connected to this one, and nobody leads who "
                    "could tell whether it takes part",
                    number(unsure.front())));
  ask_leader(m, std::move(unsure));
}

std::vector<pnn> client_commit::unheard() const {
  if (port_.view->others_named)
    return {};  // all who take part are members, and nothing is committed without one
  std::vector<commit_peer> peers;
  const auto& nodes = port_.view->nodes;
  for (std::uint32_t n = 0; n < nodes.size(); ++n)
    if (!(nodes[n].flags & node_flag::deleted))
      peers.push_back({.node = pnn{n},
                       .connected = !(nodes[n].flags & node_flag::disconnected),
                       .dead = nodes[n].dead});
  return unheard_outsiders(port_.env.self, port_.view->map, peers);
}

void client_commit::ask_leader(db_control& m, std::vector<pnn> unheard) {
  const auto question = ++questions_;
  unsent_.push_back({question, std::move(m), std::move(unheard)});
  port_.node.tell(call_control{.to = port_.view->leader,
                               .opcode = control::get_nodemap,
                               .patience = port_.config.update_patience,
                               .answer = replier([to = port_.self, question](control_answer a) {
                                 to.tell(db_nodes_told{question, std::move(a)});
                               })});
}

void client_commit::on(const db_nodes_told& m) {
  const auto found = std::ranges::find(unsent_, m.question, &unsent::question);
  if (found == unsent_.end()) return;  // its client has gone
  auto waited = std::move(*found);
  unsent_.erase(found);
  const auto told = decode_reply<control::get_nodemap>(m.answer.data);
  if (m.answer.status != 0 || !told)
    return waited.commit.answer.fail("the leader does not tell which nodes take part");
  for (const auto& n : told->nodes)
    if (!(n.flags & node_flag::inactive) &&
        std::ranges::find(waited.unheard, n.pnn) != waited.unheard.end())
      return waited.commit.answer.fail(
          fmt::format("node {} takes part, and is not connected to this one", number(n.pnn)));
  send(waited.commit);
}

void client_commit::send(db_control& m) {
  const auto& request = std::get<req_control>(m.packet->content.body);
  const auto& records = m.request<control::trans3_commit>();
  const auto nodes = who_must_store(port_.env.self, port_.view->members, active_nodes(*port_.view));
  for (pnn n : port_.view->members)
    if (!records_.reachable(n))
      return m.answer.fail(
          fmt::format("node {} of the cluster is not connected to this one", number(n)));
  const auto refused = state_.begin(port_.view->mode, port_.config.kind, port_.env.self, nodes);
  if (refused != commit_refusal::none) return m.answer.fail(std::string(name(refused)));
  answer_ = m.answer;
  client_ = m.client->id;
  since_ = port_.env.loop.now();
  port_.note(event::commit_begin{.commit = state_.number(),
                                 .client = m.client->id,
                                 .pid = m.client->pid,
                                 .records = records.count(),
                                 .nodes = nodes.size()});
  for (pnn n : nodes)
    port_.node.tell(call_control{
        .to = n,
        .opcode = control::update_record,
        .data = bytes(request.data),
        .patience = port_.config.update_patience,
        .answer = replier([to = port_.self, commit = state_.number(), n](control_answer a) {
          to.tell(db_update_answer{commit, n, std::move(a)});
        })});
}

update_answer client_commit::made_of(const db_update_answer& m) const {
  if (m.answer.status == 0 || good_without(m.node, m.answer.cause, port_.view->members))
    return update_answer::stored;
  return m.answer.cause == failure_cause::refused ? update_answer::refused : update_answer::unknown;
}

void client_commit::on(const db_update_answer& m) {
  follow(state_.answered(
      m.commit, m.node, made_of(m),
      m.answer.text.empty() ? fmt::format("status {}", m.answer.status) : m.answer.text));
}

void client_commit::follow(const commit_step& s) {
  if (!s.recover.empty()) {
    port_.note(event::commit_undecided{.commit = state_.number(), .why = s.recover});
    port_.node.tell(want_recovery{fmt::format("{}: {}", port_.config.name, s.recover)});
  }
  if (!s.answer) return;
  if (*s.answer == 0 && port_.config.witness)
    port_.witness(&database_witness::acknowledged_transaction, sequence_number_of(*port_.store));
  port_.note(event::commit_end{.commit = state_.number(), .status = *s.answer});
  std::exchange(answer_, {}).status(*s.answer, s.why);
}

std::string client_commit::describe() const {
  if (state_.state() == commit_state::idle) return {};
  if (state_.state() == commit_state::undecided) return "waits for a recovery";
  std::string nodes;
  for (pnn n : state_.waiting_for()) nodes += fmt::format(" {}", number(n));
  return "waits for nodes" + nodes;
}

void client_commit::client_gone(std::uint64_t client) {
  std::erase_if(unsent_, [&](const unsent& u) { return u.commit.client->id == client; });
  if (client_ == client) follow(state_.client_gone());
}

void client_commit::mode_changed() { follow(state_.mode_changed(port_.view->mode)); }

void client_commit::report(database_report& r) const {
  r.commit = describe();
  if (!r.commit.empty()) r.commit_age_ms = in_ms(port_.env.loop.now() - since_);
}

}  // namespace floe
