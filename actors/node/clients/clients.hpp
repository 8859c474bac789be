#pragma once
/// The clients that are connected to this node.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "actors/control_call.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class clients {
 public:
  explicit clients(node_port& port) : port_(port) {}

  void opened(const client_ref&);
  /// False if it was not known.
  bool closed(std::uint64_t id);
  /// Nothing if it has gone.
  const client_ref* find(std::uint64_t id) const;
  std::size_t size() const { return all_.size(); }
  void close_all(const char* why) const;
  /// Whether the client holds too much already for this packet; a request is told so.
  bool refuses(const client_ref&, const packet&) const;
  /// What all of them hold, and the one that holds most.
  struct held_report {
    std::size_t requests = 0, bytes = 0, locks = 0;
    std::size_t refused = 0;  ///< also of those that are gone
    const client_ref* most = nullptr;
  };
  held_report held() const;
  /// When a client that held much has gone, once.
  std::optional<time_point> large_one_left() {
    return std::exchange(large_one_left_, std::nullopt);
  }

  outcome_of<control::ping> ping() const;
  outcome_of<control::accompany> accompany(const caller&);
  outcome_of<control::process_exists> process_exists(
      const request_of<control::process_exists>&) const;

 private:
  node_port& port_;
  std::map<std::uint64_t, client_ref> all_;
  std::optional<time_point> large_one_left_;
  std::set<std::uint64_t>
      companions_;  ///< their processes have other connections, and live by those
};

}  // namespace floe
