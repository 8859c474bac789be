#include "actors/node/clients/clients.hpp"

#include <csignal>

#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"

namespace floe {
namespace {

bool process_lives(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

}  // namespace

void clients::opened(const client_ref& c) {
  ++port_.env.count.num_clients;
  all_[c.id] = c;
}

bool clients::closed(std::uint64_t id) {
  if (all_.erase(id) == 0) return false;
  companions_.erase(id);
  --port_.env.count.num_clients;
  return true;
}

const client_ref* clients::find(std::uint64_t id) const {
  const auto i = all_.find(id);
  return i == all_.end() ? nullptr : &i->second;
}

void clients::close_all(const char* why) const {
  for (const auto& [id, c] : all_) c.session.tell(session_kick{why});
}

outcome_of<control::ping> clients::ping() const { return status_of(static_cast<std::int64_t>(all_.size())); }

outcome_of<control::accompany> clients::accompany(const caller& by) {
  companions_.insert(by.client->id);
  return {};
}

outcome_of<control::process_exists> clients::process_exists(
    const request_of<control::process_exists>& pid) const {
  for (const auto& [id, c] : all_) {
    if (c.pid != number(pid) || companions_.contains(id)) continue;
    if (port_.view().own_flags() & (node_flag::banned | node_flag::stopped)) {
      // others may take over what this process held, by whichever of its connections
      for (const auto& [other, same] : all_)
        if (same.pid == c.pid)
          same.session.tell(session_kick{"node is inactive and another node asked for this process"});
      return refuse();
    }
    if (process_lives(c.pid)) return {};
  }
  return refuse();
}

}  // namespace floe
