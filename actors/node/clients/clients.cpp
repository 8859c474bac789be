#include "actors/node/clients/clients.hpp"

#include <fmt/format.h>

#include <csignal>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"

namespace floe {
namespace {

bool process_lives(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

/// What a client that holds too much may still ask for, because it holds less afterwards, or learns why.
bool gives_back(const packet& p) {
  const auto* c = std::get_if<req_control>(&p.body);
  if (!c) return std::holds_alternative<req_message>(p.body);
  switch (c->opcode) {
    case control::record_store:
    case control::record_delete:
    case control::record_unlock:
    case control::deregister_srvid:
    case control::deregister_notify:
    case control::tunnel_deregister:
    case control::get_node_status:
    case control::ping: return true;
    default: return false;
  }
}

}  // namespace

void clients::opened(const client_ref& c) {
  ++port_.env.count.num_clients;
  all_[c.id] = c;
}

bool clients::closed(std::uint64_t id) {
  const auto i = all_.find(id);
  if (i == all_.end()) return false;
  port_.limits.refused.requests += i->second.usage->refused;
  if (i->second.usage->was_large) large_one_left_ = port_.env.loop.now();
  all_.erase(i);
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

bool clients::refuses(const client_ref& c, const packet& p) const {
  if (!c.usage || !c.usage->full() || gives_back(p)) return false;
  ++c.usage->refused;
  const auto& u = *c.usage;
  const std::string why = fmt::format(
      "this client has {} requests of {} bytes without an answer; {} and {} are the most",
      u.requests, u.bytes, client_usage::most_requests, client_usage::most_bytes);
  port_.env.log.tell(
      event::client_request_refused{.client = c.id, .pid = c.pid, .name = c.name, .why = why});
  if (const auto* r = std::get_if<req_control>(&p.body); r && !(r->flags & control_flag::noreply))
    c.session.tell(session_send{
        port_.for_client(p.header.id, reply_control{.status = -1, .data = {}, .error = why})});
  if (std::holds_alternative<req_call>(p.body))
    c.session.tell(
        session_send{port_.for_client(p.header.id, reply_call{.status = -1, .data = {}})});
  return true;
}

clients::held_report clients::held() const {
  held_report all{.refused = port_.limits.refused.requests};
  const auto weight = [](const client_usage& u) { return u.bytes + 1000 * (u.requests + u.locks); };
  for (const auto& [id, c] : all_) {
    all.requests += c.usage->requests;
    all.bytes += c.usage->bytes;
    all.locks += c.usage->locks;
    all.refused += c.usage->refused;
    if (!all.most || weight(*c.usage) > weight(*all.most->usage)) all.most = &c;
  }
  return all;
}

outcome_of<control::ping> clients::ping() const {
  return status_of(static_cast<std::int64_t>(all_.size()));
}

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
          same.session.tell(
              session_kick{"node is inactive and another node asked for this process"});
      return refuse();
    }
    if (process_lives(c.pid)) return {};
  }
  return refuse();
}

}  // namespace floe
