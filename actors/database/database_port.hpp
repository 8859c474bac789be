#pragma once
/// What the parts of a database know of it and may ask of it, as node_port.hpp is for the services of a node. A part is a
/// plain class with private state; it lives as long as its database and runs on its turns only. What it sees here is the
/// database's own and changes between turns.
#include <memory>
#include <string>

#include "actors/cluster_view.hpp"
#include "actors/database/database_message.hpp"
#include "actors/database/database_witness.hpp"
#include "actors/database/work_meter.hpp"
#include "actors/environment.hpp"
#include "actors/event_line.hpp"
#include "actors/node/node_message.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/own_freeze.hpp"
#include "storage/store.hpp"

namespace floe {

class node_pulse;
class storage_trouble;

struct database_config {
  db_id id{0};
  std::string name;
  db_kind kind = db_kind::volatile_db;
  std::string file;
  std::string damage;  ///< what is wrong with the content, to be remembered; empty: nothing new
  std::size_t push_buffer_size = 1'000'000;  ///< bytes of a pull buffer (RecBufferSizeLimit)
  duration update_patience{
      std::chrono::seconds(60)};  ///< for a node to store a transaction (ControlTimeout)
  duration resend_after{
      std::chrono::seconds(5)};         ///< an unanswered migration request is sent again
  database_witness* witness = nullptr;  ///< of a simulation
  std::shared_ptr<node_pulse> pulse;
};

/// In whose hands the store is. While it is not here nothing touches it: checked once, at dispatch.
enum class store_use : std::uint8_t {
  here,
  recovering,  ///< another thread commits a recovery: the database is frozen, the next recovery waits, further steps are refused
  updating,  ///< another thread commits a transaction of a client: what comes is held back until it is done
};

struct database_port {
  const node_environment& env;
  const database_config& config;
  const view_ptr& view;
  const address<node_message>& node;
  const address<database_message>& self;
  const std::shared_ptr<floe::store>& store;
  const store_use& use;
  const db_settings& settings;
  const freeze_status& freeze;
  const own_freeze& own;
  const generation& gen;  ///< of the content
  storage_trouble& trouble;
  work_meter& meter;

  bool thawed() const { return freeze.state == freeze_state::thawed; }
  /// The content is of the generation that the node's map has.
  bool is_of_map() const { return map_applies(gen, view->gen); }
  /// Stopped or banned: frozen, and kept so.
  bool inactive() const { return view->own_flags() & (node_flag::banned | node_flag::stopped); }

  /// Onto the node's timeline and into its log.
  template <class Event>
  void note(const Event& e) const {
    node.tell(note_event{on_timeline(env.loop.wall_us(), e, config.id)});
  }
  /// Tells the witness, if there is one.
  template <class... Of, class... What>
  void witness(void (database_witness::*event)(const database_moment&, Of...),
               const What&... what) const {
    if (config.witness) (config.witness->*event)({env.self, config.id, gen, view->gen}, what...);
  }
};

}  // namespace floe
