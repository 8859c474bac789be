#pragma once
/// One client of one fake node on virtual time.
#include <doctest/doctest.h>

#include <vector>

#include "actors/client/client.hpp"
#include "actors/client/records.hpp"
#include "tests/client/fake_node.hpp"

namespace floe::test {

using namespace std::chrono_literals;

struct scene {
  explicit scene(fake_node::answer_function answer = polite(3)) : node(net, std::move(answer)) {}

  std::unique_ptr<event_loop> loop = event_loop::simulated(7);
  sim_switch net{*loop};
  fake_node node;
  std::unique_ptr<network> own = net.attach("host");
  client c{*loop, *own};
  int ups = 0;
  std::vector<client_error> downs;

  void connect(bool reconnect = false) {
    c.connect({.socket = fake_node::socket, .reconnect = reconnect},
              {.connected = [this](pnn) { ++ups; },
               .disconnected = [this](const client_error& e) { downs.push_back(e); }});
  }
  bool run(const std::function<bool()>& done, duration limit = 60s) {
    return loop->run_until(done, limit);
  }
  void connect_and_wait() {
    connect();
    REQUIRE(run([&] { return ups == 1; }));
  }
};

template <class T>
struct slot {
  std::optional<result<T>> value;
  when_done<T> handler() {
    return [this](const result<T>& r) { value = r; };
  }
};

}  // namespace floe::test
