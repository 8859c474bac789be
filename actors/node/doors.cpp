#include "actors/node/doors.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/link/link.hpp"
#include "actors/session/session.hpp"

namespace floe {
namespace {

constexpr std::size_t client_queue_limit = 256u << 20;

/// Half of the descriptors that the process may have: the rest is for other nodes and for files.
std::size_t most_clients() {
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0) return 512;
  return std::max<std::size_t>(16, l.rlim_cur / 2);
}

}  // namespace

std::string doors::open() {
  const auto& config = port_.config;
  auto peers =
      port_.env.net.listen(config.nodes[number(config.self)].where, limits_between_nodes(config),
                           [this](const std::shared_ptr<connection>& c) { return accept_peer(c); });
  auto local = peers ? port_.env.net.listen_local(config.socket,
                                                  {.max_packet = config.max_packet,
                                                   .max_unsent = client_queue_limit,
                                                   .between_nodes = false},
                                                  [this](const std::shared_ptr<connection>& c) {
                                                    return accept_client(c);
                                                  })
                     : std::unexpected(peers.error());
  if (!local) {
    port_.env.log.tell(event::cannot_listen{.why = local.error()});
    return local.error();
  }
  peers_ = std::move(*peers);
  clients_ = std::move(*local);
  return {};
}

/// Called on the loop, between turns of the node.
std::optional<connection_events> doors::accept_peer(const std::shared_ptr<connection>& c) {
  const auto& view = port_.view();
  if (view.run < runstate::setup) return std::nullopt;  // not yet: it will try again
  const auto from = c->peer();
  for (const auto& n : view.nodes) {
    if (n.where.ip != from.ip || !n.link) continue;
    const auto serial = last_serial_ += 2;
    n.link.tell(link_accepted{c, serial});
    return incoming_events(n.link, serial);
  }
  port_.env.log.tell(event::connection_refused{.address = from.ip, .why = "not in the nodes file"});
  return std::nullopt;
}

std::optional<connection_events> doors::accept_client(const std::shared_ptr<connection>& c) {
  if (all_.size() >= most_clients()) {
    ++port_.limits.refused.connections;
    port_.env.log.tell(event::client_refused{
        .client = 0,
        .pid = c->peer_pid(),
        .name = "?",
        .why = fmt::format("{} clients are connected, half of the descriptors", all_.size())});
    return std::nullopt;
  }
  auto s = port_.env.actors.spawn<session>("session", port_.env, ++last_client_, c, port_.self,
                                           most_queued_);
  return connection_events{
      .up = nullptr,
      .packet = [s](frame f) { s.tell(session_packet{std::move(f)}); },
      .down = [s](close_reason why) { s.tell(session_closed{std::move(why)}); },
  };
}

void doors::close() {
  clients_.reset();
  peers_.reset();
}

}  // namespace floe
