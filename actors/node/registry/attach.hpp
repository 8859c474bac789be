#pragma once
/// How databases come to be: clients and nodes attach them, those on disk are opened at the start. A file that is
/// damaged is set aside, an empty one takes its place and is marked until a recovery brings the content from a node
/// whose copy is whole. Samba's daemon means to do the same (ctdb/server/ctdb_ltdb_server.c) but does not start.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"

namespace floe {

class attaching {
 public:
  attaching(node_port& port, registry& databases, calls& others)
      : port_(port), databases_(databases), calls_(others) {}

  /// Persistent databases are known by their files NAME.PNN. `all_there` is called when each is open or cannot be
  /// opened, which keeps nobody from starting.
  void from_disk(std::function<void()> all_there);
  void checked(const database_checked&);
  void opened(const database_opened&);
  /// Clients that came during a recovery have waited until it ends.
  void retry_deferred();
  void forget_deferred_of(std::uint64_t client);

  template <control C>
  void attach(const request_of<C>& name, const caller& by, const answer_to<C>& answer) {
    attach_as(kind_of(C), name.value, by, answer);
  }

 private:
  using db_answer = answer_to<control::db_attach>;
  struct deferred {
    db_kind kind;
    std::string name;
    caller by;
    db_answer to;
    time_point until;
  };
  static db_kind kind_of(control attach);
  void attach_as(db_kind, byte_view name, const caller&, const db_answer&);
  void create(const std::string& name, db_kind, bool tell_others, replier);
  void open(db_id, std::string damage);
  std::string set_file_aside(const std::string& name, const std::string& file,
                             const std::string& finding);
  void started_with(db_id);

  node_port& port_;
  registry& databases_;
  calls& calls_;
  std::vector<deferred> deferred_;
  std::set<db_id> starting_;  ///< databases that the start waits for
  std::function<void()> all_there_;
};

}  // namespace floe
