#pragma once
/// Detaching databases: on all connected nodes, or nowhere. CTDB broadcasts without waiting (Samba
/// ctdb/server/ctdb_ltdb_server.c, ctdb_control_db_detach), so that nobody learns of a node that refuses.
///
///   would they all? ──no──► refused, nothing is detached
///        │ yes
///   all others ──some in a recovery──► all once more, in a moment: what some have let go and others keep is neither the
///        │                             content of before nor none
///     this node
#include <string>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"

namespace floe {

class detaching {
 public:
  detaching(node_port& port, registry& databases, calls& others)
      : port_(port), databases_(databases), calls_(others) {}

  void db_detach(const request_of<control::db_detach>&, const caller&,
                 const answer_to<control::db_detach>&);
  void go_on(const detach_now&);
  void closed(db_id);

 private:
  std::string keeps_attached(const database_entry&) const;
  std::vector<pnn> others() const;
  template <control C, class Request, class WhyNot, class Then>
  void ask_all(const Request&, duration limit, WhyNot why_not, Then then);
  void ask_whether(const detach_now&);
  void ask_others(const detach_now&);
  void in_a_moment(const detach_now&);
  void detach_here(db_id, const replier&);

  node_port& port_;
  registry& databases_;
  calls& calls_;
};

}  // namespace floe
