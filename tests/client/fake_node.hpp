#pragma once
/// A node's Unix socket in a simulation: says what a test tells it to say.
#include <deque>
#include <functional>
#include <memory>

#include "actors/net/sim_network.hpp"
#include "protocol/packet.hpp"

namespace floe::test {

class fake_node {
 public:
  /// Gets every request; what it returns is the answer, nothing: none.
  using answer_function = std::function<std::optional<packet_body>(const packet&)>;

  fake_node(sim_switch& net, answer_function answer);

  /// Ends all connections and lets nobody in, until open() is called.
  void close();
  void open();
  void push(const packet_body&, reqid = reqid{0});
  void push_raw(bytes);
  std::size_t connections() const { return streams_.size(); }
  /// How many requests of each control have come.
  int count(control) const;

  static constexpr const char* socket = "/node/ctdbd.socket";

 private:
  void receive(const std::shared_ptr<floe::connection>&, const frame&);
  std::unique_ptr<network> net_;
  answer_function answer_;
  std::unique_ptr<listener> listener_;
  std::vector<std::shared_ptr<floe::connection>> streams_;
  std::map<std::uint32_t, int> counts_;
};

/// Answers GET_PNN with this number and everything else with status 0.
fake_node::answer_function polite(std::uint32_t pnn);

}  // namespace floe::test
