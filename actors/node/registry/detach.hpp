#pragma once
/// Detaching databases: on all connected nodes, or nowhere, and so that nobody sees it half done. The steps are those of
/// protocol/rules/detaching.hpp; here they are carried out for the node that a client has asked, and for the others that
/// it asks. CTDB broadcasts without waiting (Samba ctdb/server/ctdb_ltdb_server.c, ctdb_control_db_detach), so that nobody
/// learns of a node that refuses.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"
#include "protocol/rules/detaching.hpp"

namespace floe {

class detaching {
 public:
  detaching(node_port& port, registry& databases, calls& others)
      : port_(port), databases_(databases), calls_(others) {}

  void db_detach(const request_of<control::db_detach>&, const caller&,
                 const answer_to<control::db_detach>&);
  void opened(db_id);
  void closed(db_id);
  /// Whether a recovery is over that a detaching waits for.
  void view_changed();
  /// Once a second: what others have begun and do not go on with.
  void tick();

 private:
  /// A database on its way out, for a client, or for nobody any more.
  struct course {
    db_id id;
    detach_step at = detach_step::ask;
    time_point until;
    replier answer{};
    std::string why{};                       ///< reopen, failed: it is not detached
    generation under = generation::invalid;  ///< renew: in which the last node has dropped it
  };
  /// What one that was asked has said.
  struct said {
    detach_event what = detach_event::agreed;
    std::string why{};
  };
  using judge = std::function<said(const control_answer&)>;

  std::string will_never(db_id, const database_entry&) const;
  std::string not_now(const database_entry&, bool for_others) const;
  std::vector<pnn> others() const;
  bool knows_closing(pnn) const;
  void go_on(const course&);
  void later(const course&);
  void ask_all(const course&, const std::vector<pnn>&, const req_control&, const judge&);
  void ask_whether(const course&);
  void ask_for_recoveries(const course&);
  void tell_all(const course&, std::uint32_t flags);
  void drop_on_others(const course&);
  void drop_here(const course&);
  void renew(const course&);
  bool renewed(const course&) const;
  void end_renewals(detach_event how);
  void went(const course&, const said&);
  void close_here(db_id, const caller&, const replier&);
  void release_here(db_id, const caller&, const replier&);
  void tell_here(db_id, std::uint32_t flags, replier);
  void detach_here(db_id, const replier&);

  node_port& port_;
  registry& databases_;
  calls& calls_;
  /// Databases that all nodes have been told to close, here or no more, and until when the word holds.
  std::map<db_id, time_point> closing_;
  std::vector<course> renewing_;  ///< they wait for the end of a recovery
  /// A database that ends after its node answers all the same.
  const std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);
};

}  // namespace floe
