#pragma once
/// The root actor of a node: its life, and dispatch. Every packet from links and sessions comes here and leaves at
/// once for the service (services.hpp) or the actor that owns the matter.
///
///   sessions ──┐                        ┌── database actors (one each)
///              ├── node: dispatch ──────┤
///   links ─────┘    │                   └── leader, recovery coordinator
///                   └── services: calls, clients, messaging, registry, membership, traverses, reports
///
/// Controls go by the table in controls.cpp.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/environment.hpp"
#include "actors/node/node_config.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/spare_memory.hpp"

namespace floe {

struct node_services;

class node final : public actor<node_message> {
 public:
  /// `stopped` is called when the node has taken itself down, and told why.
  node(node_environment env, node_config config,
       std::function<void(const std::string& why)> stopped);
  ~node() override;
  void start() override;
  void receive(node_message&) override;

 private:
  void go_on_starting();
  void leave(const std::string& by);
  void stop(const std::string& why);
  void tick();
  void cut_off();
  void from_peer(pnn, const parcel_ptr&);
  void from_client(const client_ref&, const parcel_ptr&);
  bool is_listed(pnn) const;
  void peer_changes(const peer_changed&);
  void client_gone(std::uint64_t);

  node_environment env_;
  std::function<void(const std::string& why)> stopped_;
  std::unique_ptr<node_services> services_;
  spare_memory memory_;
  std::uint64_t cut_offs_ = 0;  ///< of the pulse: that were told
  timer_id tick_{0};
  bool stopping_ = false;
};

}  // namespace floe
