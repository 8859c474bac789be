#pragma once
/// Where others come in: the address on which other nodes connect, and the socket of the clients.
#include <cstdint>
#include <memory>
#include <optional>

#include "actors/node/clients/clients.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class doors {
 public:
  doors(node_port& port, const clients& all) : port_(port), all_(all) {}

  /// Why one of the two cannot be had, which is logged; empty: both are open.
  std::string open();
  void close();
  /// MaxQueueDropMsg, for all sessions.
  void allow_queued(std::uint32_t packets) { *most_queued_ = packets; }

 private:
  std::optional<connection_events> accept_peer(const std::shared_ptr<connection>&);
  std::optional<connection_events> accept_client(const std::shared_ptr<connection>&);

  node_port& port_;
  const clients& all_;
  std::unique_ptr<listener> peers_, clients_;
  std::uint64_t last_serial_ =
      0;  ///< of connections that peers have made: even, those that links make are odd
  std::uint64_t last_client_ = 0;
  const std::shared_ptr<std::uint32_t> most_queued_ = std::make_shared<std::uint32_t>(UINT32_MAX);
};

}  // namespace floe
