#include "actors/node/services.hpp"

namespace floe {

node_services::node_services(node_environment env, node_config config)
    : port(env, std::move(config)), controls(env.log) {
  port.noted = [this](timeline_event e) { reports.note(std::move(e)); };
  port.view_changed = [this](const view_ptr& v) {
    recoveries.view_changed();
    databases.tell_all(db_view{v});
    port.leader.tell(leader_view{v});
    departing.view_changed();
    detach.view_changed();
  };
  add_controls(*this);
}

}  // namespace floe
