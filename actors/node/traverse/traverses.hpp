#pragma once
/// Reading a database of the whole cluster: every node sends the records it is dmaster of, the node that was asked
/// passes them on to its client as messages.
///
/// Records move in slices, and the last one of a slice asks for an answer: it comes when the client has taken that record,
/// and only then is the next slice read. So a reader that is slow makes the reading slow, everywhere, and fills nobody's
/// memory. A ctdbd answers at once, and what it sends itself it sends without waiting.
#include <cstdint>
#include <map>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"

namespace floe {

class traverses {
 public:
  traverses(node_port& port, calls& others, registry& databases)
      : port_(port), calls_(others), databases_(databases) {}

  /// Beyond these a client is refused: each holds a slice of records of every node.
  static constexpr std::size_t most = 128, most_of_client = 16;

  void end_those_of(std::uint64_t client);
  /// Records of ours, to whoever asked for them.
  void send(traverse_slice&);
  std::size_t open() const { return open_.size(); }

  void traverse_start(const request_of<control::traverse_start>&, const caller&,
                      const answer_to<control::traverse_start>&);
  void traverse_start_ext(const request_of<control::traverse_start_ext>&, const caller&,
                          const answer_to<control::traverse_start_ext>&);
  outcome_of<control::traverse_all> traverse_all(const request_of<control::traverse_all>&);
  outcome_of<control::traverse_all_ext> traverse_all_ext(
      const request_of<control::traverse_all_ext>&);
  void traverse_data(const request_of<control::traverse_data>&,
                     const answer_to<control::traverse_data>&);
  outcome_of<control::traverse_kill> traverse_kill(const request_of<control::traverse_kill>&,
                                                   const caller&);

 private:
  struct entry {
    std::uint64_t client;
    address<session_message> session;
    floe::srvid srvid{0};
    reqid client_reqid;
    db_id db{0};
    std::size_t ends_missing;
    timer_id deadline{0};
  };
  void begin(const request_of<control::traverse_start_ext>&, const caller&,
             const answer_to<control::traverse_start>&);
  /// Why a client may not read all of this database; empty: it may.
  std::string refusal(const database_entry&, const client_ref&);
  /// The nodes that have, between them, all records of the database.
  std::vector<pnn> sources_of(const database_entry&) const;
  timer_id give_up_in_time(std::uint32_t id) const;
  void read_ours(db_id, bool with_empty, pnn for_node, reqid);
  void take(const request_of<control::traverse_data>&, task taken);
  void pass_on(const entry&, byte_view key, byte_view data, task taken = nullptr) const;
  void end(std::uint32_t id);

  node_port& port_;
  calls& calls_;
  registry& databases_;
  std::map<std::uint32_t, entry> open_;
  std::uint32_t last_ = 0;
};

}  // namespace floe
