#pragma once
/// The databases of a node: what is known of each outside its actor, and the way to it. Attaching, detaching and
/// opening stand in attach.hpp and detach.hpp.
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/database/database_message.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

struct database_entry {
  std::string name, path;
  db_kind kind = db_kind::volatile_db;
  std::uint8_t flags = 0;  ///< db_flag bits
  generation gen = generation::invalid;
  std::vector<pnn> members;  ///< of `gen`: its vnn map
  bool fresh = false;        ///< made during a recovery: has taken part in nothing yet
  bool slept = false;  ///< this node has hung since its last recovery: others may have gone on
  freeze_state state = freeze_state::thawed;
  time_point state_since;
  pnn frozen_by = pnn::unknown;  ///< the last freeze that was a node's own, and no client's
  address<database_message> to;
  bool open = false;
  bool for_recovery =
      false;  ///< one asks for it that has begun; else it is wanted by clients or for them
  bool detaching = false;  ///< its actor is closing the file
  bool tell_others = false;
  std::vector<replier> attaching;            ///< told when it is open, or closed again
  std::vector<database_message> until_open;  ///< packets that came before
  std::string damage;                        ///< what is wrong with its content; empty: nothing
  bool sequence = false;                     ///< clients have asked for a counter of its changes
  std::string dispute;                       ///< why it is given up; empty: it is not
};

/// Why clients must not be shown its content; empty if they may.
std::string unfit(const database_entry&);

class registry {
 public:
  using map = std::map<db_id, database_entry>;
  explicit registry(node_port& port) : port_(port) {}

  map& all() { return all_; }
  const map& all() const { return all_; }
  database_entry* find(db_id);
  const database_entry* find(db_id) const;
  /// Empty if it is not known.
  std::string name_of(db_id) const;
  /// Known, and shown in lists from now on.
  void opened(db_id id) { order_.push_back(id); }
  void erase(db_id);

  /// To every actor of a database.
  void tell_all(const database_message&) const;
  /// To the owner of the database that a control names.
  void forward(db_id, const caller&, db_control);
  bool takes_part(const caller&) const;
  void client_calls(const client_ref&, const parcel_ptr&, const req_call&);
  /// A record packet of another node. Who asks for a database that is not there is told so.
  void record_packet(pnn from, const parcel_ptr&, db_id, bool asks);
  /// What was held until the database is open, now that it cannot be opened.
  void dispatch_again(db_id, const database_message&);
  /// The answer to a request of one of our databases: only that one hears it.
  void answered(pnn from, const parcel_ptr&);

  void changed(const database_changed&);
  void health_changed(database_health&);
  /// Once a second. A tick that comes much too late says that this node was stopped, or starved, for longer than
  /// others bear with it: they may have gone on without it.
  void tick();
  void first_tick();
  /// All that are open.
  bool all_frozen() const;
  /// Reports of all that are open.
  void inspect(bool locks, std::function<void(std::vector<database_report>)> done) const;
  /// What a freeze does about clients that hold locks, by the tunables.
  db_holder_rules holder_rules() const;
  db_settings settings() const;
  db_table_rules table_rules() const;
  /// To its actor: what SET_DB_READONLY and SET_DB_STICKY have said.
  static void tell_properties(const database_entry&, db_id);
  /// What others still have of this database, and of it alone, is gone if it is made anew here.
  void is_detached(db_id id) { detached_.insert(id); }
  /// Remembers who has the generation: they are the members of databases that get it.
  void remember_map(generation, std::vector<pnn> members);

  outcome_of<control::get_dbmap> get_dbmap() const;
  outcome_of<control::get_db_lineages> get_db_lineages();
  outcome_of<control::get_dbname> get_dbname(const request_of<control::get_dbname>&) const;
  outcome_of<control::getdbpath> get_dbpath(const request_of<control::getdbpath>&) const;
  outcome_of<control::db_get_health> get_health(const request_of<control::db_get_health>&) const;
  outcome_of<control::db_open_flags> open_flags(const request_of<control::db_open_flags>&) const;
  outcome_of<control::set_db_readonly> set_readonly(const request_of<control::set_db_readonly>&);
  outcome_of<control::set_db_sticky> set_sticky(const request_of<control::set_db_sticky>&);
  void push_record(const request_of<control::push_record>&, const caller&,
                   const answer_to<control::push_record>&);
  outcome_of<control::db_dispute> dispute(const request_of<control::db_dispute>&);

 private:
  void check_pulse();
  std::vector<pnn> members_of(generation) const;
  bool hold_until_open(database_entry*, database_message) const;
  outcome_of<control::set_db_readonly> set_flag(db_id, std::uint8_t flag);

  node_port& port_;
  map all_;
  std::vector<db_id> order_;  ///< as attached
  time_point last_tick_;
  std::deque<std::pair<generation, std::vector<pnn>>> maps_;  ///< the latest ones, newest first
  std::deque<generation> was_in_;                             ///< more of them, oldest first
  std::set<db_id> detached_;                                  ///< in this process's life
};

}  // namespace floe
