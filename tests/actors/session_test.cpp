/// A client that does not read: how much may wait for it.
#include "actors/session/session.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "actors/counters.hpp"
#include "protocol/packet.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

/// Takes nothing until it is told to.
struct slow_stream final : connection {
  std::vector<std::pair<frame, task>> waiting;
  bool closed = false;
  void send(frame f, task written) override { waiting.emplace_back(std::move(f), written); }
  void send_along(frame f, descriptors_ptr) override {
    waiting.emplace_back(std::move(f), nullptr);
  }
  void close() override { closed = true; }
  std::size_t unsent_bytes() const override { return 0; }
  bool nobody_listens() const override { return false; }
  endpoint peer() const override { return {}; }
  pid_t peer_pid() const override { return 0; }
  void take_all() {
    for (auto& [f, written] : std::exchange(waiting, {}))
      if (written) written();
  }
};

frame packet_of(const packet_body& body) {
  return std::make_shared<const bytes>(encode_packet({}, body));
}

}  // namespace

TEST_CASE(
    "MaxQueueDropMsg: a message behind too many packets ends the client; an answer never does") {
  auto loop = event_loop::simulated(1);
  sim_switch net{*loop};
  auto host = net.attach("host");
  actor_runtime actors(*loop);
  counters count;
  request_ids ids;
  const auto log = function_log([](log_level, std::string_view) {});
  const auto most = std::make_shared<std::uint32_t>(3);
  const auto stream = std::make_shared<slow_stream>();
  {
    const node_environment env{*loop, actors, *host, *log, count, ids, pnn{0}};
    const auto session =
        actors.spawn<floe::session>("session", env, 1U, stream, address<node_message>(), most);
    const auto send = [&](const packet_body& body, int times) {
      for (int i = 0; i < times; ++i) session.tell(session_send{packet_of(body)});
      loop->settle();
    };
    send(reply_control{}, 5);
    CHECK(stream->waiting.size() == 5);
    CHECK_FALSE(stream->closed);
    stream->take_all();
    send(req_message{.srvid = srvid{1}, .data = "x"}, 4);
    CHECK(stream->waiting.size() == 4);
    CHECK_FALSE(stream->closed);
    *most = 10;  // it can be set while the node runs
    send(req_message{.srvid = srvid{1}, .data = "x"}, 7);
    CHECK_FALSE(stream->closed);
    send(req_message{.srvid = srvid{1}, .data = "x"}, 1);
    CHECK(stream->closed);
  }
  stream->take_all();  // what the stream still had when its session was gone
}
