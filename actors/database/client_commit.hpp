#pragma once
/// The transaction that a client of this node commits (TRANS3_COMMIT): sent to all nodes, acknowledged when all have stored it,
/// one at a time. What follows from what: protocol/rules/commit.hpp. What each node does with it: transactions.cpp.
#include <cstdint>
#include <string>
#include <vector>

#include "actors/database/database_port.hpp"
#include "actors/database/record_keeper.hpp"
#include "actors/replier.hpp"
#include "protocol/rules/commit.hpp"

namespace floe {

class client_commit {
 public:
  client_commit(const database_port& port, const record_keeper& records)
      : port_(port), records_(records) {}

  void begin(db_control&);
  void on(const db_update_answer&);
  void on(const db_nodes_told&);
  void client_gone(std::uint64_t client);
  void mode_changed();
  void report(database_report&) const;

 private:
  /// A commit that waits for what the leader knows of nodes that are not heard here.
  struct unsent {
    std::uint64_t question;
    db_control commit;
    std::vector<pnn> unheard;
  };
  std::vector<pnn> unheard() const;
  void ask_leader(db_control&, std::vector<pnn> unheard);
  void send(db_control&);
  update_answer made_of(const db_update_answer&) const;
  void follow(const commit_step&);
  std::string describe() const;

  const database_port& port_;
  const record_keeper& records_;
  database_commit state_;
  replier answer_;
  std::uint64_t client_ = 0;
  std::vector<unsent> unsent_;
  std::uint64_t questions_ = 0;
  time_point since_;
};

/// Of one record; a client could make every node keep what none can send.
bool has_too_large(const rec_buffer&);
bytes too_large_text();

}  // namespace floe
