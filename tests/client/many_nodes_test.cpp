/// Questions to many nodes, messages to many, tunnels, names of processes: against a fake node.
#include "actors/client/many_nodes.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "actors/client/detach.hpp"
#include "actors/client/processes.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/tunable_value.hpp"
#include "tests/client/scene.hpp"

using namespace floe;
using namespace floe::test;

namespace {

reply_control plain(std::int32_t status, byte_view data = {}, byte_view error = {}) {
  return {.status = status, .data = data, .error = error};
}

bytes nodes_text() {
  node_map map;
  for (const auto& [n, flags] : {std::pair{0U, 0U},
                                 {1U, node_flag::stopped},
                                 {2U, node_flag::deleted | node_flag::disconnected},
                                 {3U, node_flag::disconnected},
                                 {4U, node_flag::unhealthy}})
    map.nodes.push_back({.pnn = pnn{n}, .flags = flags});
  return wire::encode(map);
}

}  // namespace

TEST_CASE("a question to many has a result for each, in the order asked, however they answer") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    if (std::get<req_control>(p.body).opcode == control::get_pnn) return plain(0);
    if (p.header.dest == pnn{1}) return plain(-1, {}, "no");
    if (p.header.dest == pnn{2}) return std::nullopt;
    return plain(static_cast<std::int32_t>(100 + number(p.header.dest)));
  });
  s.connect_and_wait();
  std::vector<node_answer<control::get_pid>> all;
  const auto begin = s.loop->now();
  control_many<control::get_pid>(s.c, {pnn{3}, pnn{2}, pnn{1}, pnn{0}}, {}, 2s,
                                 [&](const auto& answers) { all = answers; });
  CHECK(all.empty());
  REQUIRE(s.run([&] { return !all.empty(); }));
  CHECK(s.loop->now() - begin == 2s);
  REQUIRE(all.size() == 4);
  CHECK(all[0].node == pnn{3});
  CHECK(all[0].answer->status == 103);
  CHECK(all[1].answer.error().code == client_errc::timed_out);
  CHECK(all[2].answer.error().text == "no");
  CHECK(all[2].answer.error().node == pnn{1});
  CHECK(all[3].answer->status == 100);
}

TEST_CASE("a question to nobody is answered, and one without a connection, for each") {
  scene s;
  int ends = 0;
  control_many(s.c, {}, control::ping, {}, 1s, [&](const auto& all) {
    CHECK(all.empty());
    ++ends;
  });
  control_many(s.c, {pnn{0}, pnn{7}}, control::ping, {}, 1s, [&](const auto& all) {
    REQUIRE(all.size() == 2);
    CHECK(all[1].reply.error().code == client_errc::not_connected);
    ++ends;
  });
  CHECK(ends == 0);
  REQUIRE(s.run([&] { return ends == 2; }));
}

TEST_CASE("who is in the cluster, who is connected, who takes part") {
  const bytes map = nodes_text();
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    return plain(0, c.opcode == control::get_nodemap ? byte_view(map) : byte_view());
  });
  s.connect_and_wait();
  const auto ask = [&](which_nodes which) {
    slot<std::vector<pnn>> found;
    nodes_of(s.c, which, 1s, found.handler());
    REQUIRE(s.run([&] { return found.value.has_value(); }));
    return found.value->value();
  };
  CHECK(ask(which_nodes::all) == std::vector{pnn{0}, pnn{1}, pnn{3}, pnn{4}});
  CHECK(ask(which_nodes::connected) == std::vector{pnn{0}, pnn{1}, pnn{4}});
  CHECK(ask(which_nodes::active) == std::vector{pnn{0}, pnn{4}});
}

TEST_CASE("a message to many is one packet for each") {
  std::vector<std::pair<pnn, bytes>> sent;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    if (const auto* m = std::get_if<req_message>(&p.body)) {
      CHECK(m->srvid == srvid{9});
      sent.emplace_back(p.header.dest, m->data);
      return std::nullopt;
    }
    return plain(0);
  });
  s.connect_and_wait();
  const std::vector to{pnn{0}, pnn{2}, pnn{5}};
  send_message_many(s.c, to, srvid{9}, "hello");
  REQUIRE(s.run([&] { return sent.size() == 3; }));
  for (std::size_t i = 0; i < 3; ++i) CHECK(sent[i] == std::pair{to[i], bytes("hello")});
}

TEST_CASE("a tunnel that another client has stays closed; a reconnect opens those that were open") {
  bool taken = true;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto* c = std::get_if<req_control>(&p.body);
    if (!c) return std::nullopt;
    return plain(c->opcode == control::tunnel_register && taken ? -1 : 0);
  });
  s.connect(true);
  REQUIRE(s.run([&] { return s.ups == 1; }));
  slot<void> opened;
  std::string heard;
  const auto hears = [&](const client_tunnel_packet& t) { heard += t.data; };
  s.c.open_tunnel(7, hears, 1s, opened.handler());
  REQUIRE(s.run([&] { return opened.value.has_value(); }));
  CHECK(opened.value->error().code == client_errc::refused);
  s.node.push(req_tunnel{.tunnel_id = 7, .data = "x"});
  s.run([] { return false; }, 1s);
  CHECK(heard.empty());

  taken = false;
  slot<void> again;
  s.c.open_tunnel(7, hears, 1s, again.handler());
  REQUIRE(s.run([&] { return again.value.has_value(); }));
  CHECK(again.value->has_value());
  s.node.push(req_tunnel{.tunnel_id = 8, .data = "y"});
  s.node.push(req_tunnel{.tunnel_id = 7, .flags = tunnel_flag::request, .data = "z"});
  REQUIRE(s.run([&] { return !heard.empty(); }));
  CHECK(heard == "z");
  CHECK(s.node.count(control::tunnel_register) == 2);

  s.node.close();
  REQUIRE(s.run([&] { return !s.downs.empty(); }));
  s.node.open();
  REQUIRE(s.run([&] { return s.node.count(control::tunnel_register) == 3; }));
  s.c.close_tunnel(7);
  s.node.push(req_tunnel{.tunnel_id = 7, .data = "w"});
  REQUIRE(s.run([&] { return s.node.count(control::tunnel_deregister) == 1; }));
  CHECK(heard == "z");
}

TEST_CASE("names are looked for by their registration, those of others by their process") {
  const auto own_pid = static_cast<std::int32_t>(::getpid());
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::get_pnn) return plain(3);
    if (c.opcode == control::process_exists) return plain(p.header.dest == pnn{1} ? 0 : -1);
    if (c.opcode == control::check_pid_srvid) {
      const auto q = decode_request<control::check_pid_srvid>(c.data);
      REQUIRE(q);
      return plain(q->pid == process_id{own_pid} ? 0 : -1);
    }
    return plain(0);
  });
  s.connect_and_wait();
  slot<server_id> name, other;
  name_myself(s.c, 1s, name.handler());
  name_myself(s.c, 1s, other.handler());
  REQUIRE(s.run([&] { return name.value && other.value; }));
  const server_id me = name.value->value();
  CHECK(me.vnn == pnn{3});
  CHECK(me.pid == static_cast<std::uint64_t>(own_pid));
  CHECK(me.unique_id != other.value->value().unique_id);
  CHECK(s.node.count(control::register_srvid) == 2);

  const auto there = [&](const server_id& who) {
    slot<bool> r;
    server_exists(s.c, who, 1s, r.handler());
    REQUIRE(s.run([&] { return r.value.has_value(); }));
    return *r.value;
  };
  CHECK(there(me).value());
  CHECK(s.node.count(control::check_pid_srvid) == 1);
  auto later = me;
  later.pid += 1;
  CHECK_FALSE(there(later).value());
  CHECK(there({.pid = 12, .vnn = pnn{1}}).value());
  CHECK_FALSE(there({.pid = 12, .vnn = pnn{3}}).value());
  give_up_name(s.c, me);
  REQUIRE(s.run([&] { return s.node.count(control::deregister_srvid) == 1; }));
}

TEST_CASE("nothing is detached while a node lets clients attach") {
  const bytes map = nodes_text();
  std::uint32_t allowed = 1;
  bytes value;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::get_nodemap) return plain(0, map);
    if (c.opcode != control::get_tunable) return plain(0);
    value = wire::encode(p.header.dest == pnn{4} ? allowed : 0U);
    return plain(0, value);
  });
  s.connect_and_wait();
  slot<void> first, second;
  detach(s.c, db_id{1}, 1s, first.handler());
  REQUIRE(s.run([&] { return first.value.has_value(); }));
  CHECK(first.value->error().code == client_errc::refused);
  CHECK(first.value->error().node == pnn{4});
  CHECK(s.node.count(control::db_detach) == 0);
  allowed = 0;
  detach(s.c, db_id{1}, 1s, second.handler());
  REQUIRE(s.run([&] { return second.value.has_value(); }));
  CHECK(second.value->has_value());
  CHECK(s.node.count(control::db_detach) == 1);
}
