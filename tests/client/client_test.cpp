#include "actors/client/client.hpp"

#include <doctest/doctest.h>

#include "actors/client/traverse.hpp"
#include "protocol/messages.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/types/traverse.hpp"
#include "protocol/types/vnn_map.hpp"
#include "tests/client/scene.hpp"

using namespace floe;
using namespace floe::test;

TEST_CASE("a client learns the number of its node before it is connected") {
  scene s;
  CHECK(s.c.self() == pnn::unknown);
  s.connect_and_wait();
  CHECK(s.c.connected());
  CHECK(s.c.self() == pnn{3});
}

TEST_CASE("nobody listens: not connected, once") {
  scene s;
  s.node.close();
  s.connect();
  REQUIRE(s.run([&] { return !s.downs.empty(); }));
  CHECK(s.downs[0].code == client_errc::not_connected);
  s.run([] { return false; }, 10s);
  CHECK(s.downs.size() == 1);
}

TEST_CASE("a node that accepts and says nothing is given up") {
  scene s([](const packet&) { return std::nullopt; });
  s.connect();
  REQUIRE(s.run([&] { return !s.downs.empty(); }));
  CHECK(s.downs[0].code == client_errc::timed_out);
  CHECK(s.ups == 0);
}

TEST_CASE("requests without a connection fail, after the call that made them") {
  scene s;
  bool inside = true;
  std::optional<client_errc> code;
  s.c.control<control::ping>(pnn{0}, {}, 1s, [&](const auto& r) {
    CHECK_FALSE(inside);
    code = r.error().code;
  });
  inside = false;
  REQUIRE(s.run([&] { return code.has_value(); }));
  CHECK(code == client_errc::not_connected);
}

TEST_CASE("typed answers are decoded and keep their packet") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    static bytes data;
    const auto& c = std::get<req_control>(p.body);
    data = c.opcode == control::getvnnmap
               ? wire::encode(vnn_map{.generation = generation{77}, .slots = {pnn{0}, pnn{2}}})
               : bytes();
    return reply_control{.status = 0, .data = data, .error = {}};
  });
  s.connect_and_wait();
  std::optional<client_answer<vnn_map>> map;
  s.c.control<control::getvnnmap>(pnn{0}, {}, 1s, [&](const auto& r) { map = *r; });
  REQUIRE(s.run([&] { return map.has_value(); }));
  CHECK(map->value.generation == generation{77});
  CHECK(map->value.slots == std::vector{pnn{0}, pnn{2}});
}

TEST_CASE("an answer that does not decode is a bad reply; with a positive status it is a refusal") {
  std::int32_t status = 0;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::get_pnn) return reply_control{.status = 0, .data = {}, .error = {}};
    return reply_control{.status = status, .data = "xx", .error = {}};
  });
  s.connect_and_wait();
  std::vector<client_errc> codes;
  const auto ask = [&] {
    s.c.control<control::getvnnmap>(pnn{0}, {}, 1s,
                                    [&](const auto& r) { codes.push_back(r.error().code); });
    REQUIRE(s.run([&, n = codes.size() + 1] { return codes.size() == n; }));
  };
  ask();
  status = 1;
  ask();
  CHECK(codes == std::vector{client_errc::bad_reply, client_errc::refused});
}

TEST_CASE("a node that does not know floe's controls is called so") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    return reply_control{.status = c.opcode == control::get_pnn ? 0 : -1, .data = {}, .error = {}};
  });
  s.connect_and_wait();
  std::string own, theirs;
  s.c.control<control::get_locks>(pnn{0}, {}, 1s, [&](const auto& r) { own = r.error().text; });
  s.c.control<control::getvnnmap>(pnn{0}, {}, 1s, [&](const auto& r) { theirs = r.error().text; });
  REQUIRE(s.run([&] { return s.c.outstanding() == 0; }));
  CHECK(own.find("no floe node") != std::string::npos);
  CHECK(theirs.empty());
}

TEST_CASE("every request has a deadline of its own") {
  // silent after the greeting
  scene s([](const packet& p) -> std::optional<packet_body> {
    if (std::get<req_control>(p.body).opcode != control::get_pnn) return std::nullopt;
    return reply_control{.status = 0, .data = {}, .error = {}};
  });
  s.connect_and_wait();
  const auto begin = s.loop->now();
  std::vector<std::pair<int, duration>> ends;
  for (const int seconds : {5, 1, 3})
    s.c.control<control::ping>(pnn{0}, {}, std::chrono::seconds(seconds),
                               [&, seconds](const auto& r) {
                                 CHECK(r.error().code == client_errc::timed_out);
                                 ends.emplace_back(seconds, s.loop->now() - begin);
                               });
  REQUIRE(s.run([&] { return ends.size() == 3; }));
  CHECK(ends == std::vector<std::pair<int, duration>>{{1, 1s}, {3, 3s}, {5, 5s}});
}

TEST_CASE("a thousand requests in flight are answered out of order") {
  std::vector<std::pair<reqid, std::uint32_t>> asked;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::get_pnn) return reply_control{.status = 0, .data = {}, .error = {}};
    asked.emplace_back(p.header.id, number(p.header.dest));
    return std::nullopt;
  });
  s.connect_and_wait();
  std::uint32_t right = 0;
  for (std::uint32_t i = 0; i < 1000; ++i)
    s.c.control<control::get_pid>(pnn{i}, {}, 30s, [&, i](const auto& r) {
      right += r && r->status == static_cast<std::int32_t>(i);
    });
  REQUIRE(s.run([&] { return asked.size() == 1000; }));
  CHECK(s.c.outstanding() == 1000);
  for (auto i = asked.rbegin(); i != asked.rend(); ++i)
    s.node.push(
        reply_control{.status = static_cast<std::int32_t>(i->second), .data = {}, .error = {}},
        i->first);
  REQUIRE(s.run([&] { return s.c.outstanding() == 0; }));
  CHECK(right == 1000);
}

TEST_CASE(
    "a broken connection ends what is outstanding, then says so; without reconnect that is all") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    if (std::get<req_control>(p.body).opcode != control::get_pnn) return std::nullopt;
    return reply_control{.status = 0, .data = {}, .error = {}};
  });
  s.connect_and_wait();
  std::optional<client_errc> code;
  s.c.control<control::ping>(pnn{0}, {}, 30s, [&](const auto& r) {
    code = r.error().code;
    CHECK(s.downs.empty());
  });
  s.run([&] { return s.node.count(control::ping) == 1; });
  s.node.close();
  REQUIRE(s.run([&] { return !s.downs.empty(); }));
  CHECK(code == client_errc::disconnected);
  CHECK(s.downs[0].code == client_errc::disconnected);
  CHECK_FALSE(s.c.connected());
  s.node.open();
  s.run([] { return false; }, 10s);
  CHECK(s.ups == 1);
}

TEST_CASE("with reconnect the client comes back by itself, and its registrations with it") {
  scene s;
  s.connect(true);
  REQUIRE(s.run([&] { return s.ups == 1; }));
  std::vector<bytes> heard;
  s.c.listen(srvid{42}, [&](const client_message& m) { heard.emplace_back(m.data); }, 1s, {});
  REQUIRE(s.run([&] { return s.node.count(control::register_srvid) == 1; }));
  s.node.close();
  REQUIRE(s.run([&] { return s.downs.size() >= 3; }));
  CHECK(s.downs[0].code == client_errc::disconnected);
  CHECK(s.downs[1].code == client_errc::not_connected);
  s.node.open();
  REQUIRE(s.run([&] { return s.ups == 2; }));
  REQUIRE(s.run([&] { return s.node.count(control::register_srvid) == 2; }));
  s.node.push(req_message{.srvid = srvid{42}, .data = "hello"});
  REQUIRE(s.run([&] { return !heard.empty(); }));
  CHECK(heard == std::vector<bytes>{"hello"});
}

TEST_CASE("messages reach the handler of their srvid; after unlisten nobody") {
  scene s;
  s.connect_and_wait();
  std::string heard;
  bool registered = false;
  s.c.listen(
      srvid{1}, [&](const client_message& m) { heard += m.data; }, 1s,
      [&](const auto& r) { registered = r.has_value(); });
  REQUIRE(s.run([&] { return registered; }));
  s.node.push(req_message{.srvid = srvid{2}, .data = "b"});
  s.node.push(req_message{.srvid = srvid{1}, .data = "a"});
  s.run([] { return false; }, 1s);
  CHECK(heard == "a");
  s.c.unlisten(srvid{1});
  s.node.push(req_message{.srvid = srvid{1}, .data = "c"});
  s.run([] { return false; }, 1s);
  CHECK(heard == "a");
  CHECK(s.node.count(control::deregister_srvid) == 1);
}

TEST_CASE("requests to a client are ignored, bytes that are no packet end the connection") {
  scene s;
  s.connect_and_wait();
  s.node.push(req_control{.opcode = control::ping, .data = {}});
  s.run([] { return false; }, 1s);
  CHECK(s.c.connected());
  s.node.push_raw(bytes(40, 'x'));
  REQUIRE(s.run([&] { return !s.downs.empty(); }));
  CHECK(s.downs[0].code == client_errc::bad_reply);
}

TEST_CASE("a destroyed client calls nobody") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    if (std::get<req_control>(p.body).opcode != control::get_pnn) return std::nullopt;
    return reply_control{.status = 0, .data = {}, .error = {}};
  });
  int calls = 0;
  {
    auto own = s.net.attach("host");
    client c(*s.loop, *own);
    bool up = false;
    c.connect({.socket = fake_node::socket}, {.connected = [&](pnn) { up = true; },
                                              .disconnected = [&](const auto&) { ++calls; }});
    REQUIRE(s.run([&] { return up; }));
    c.control<control::ping>(pnn{0}, {}, 1s, [&](const auto&) { ++calls; });
  }
  s.run([] { return false; }, 10s);
  CHECK(calls == 0);
}

TEST_CASE("a lock that comes too late is given back") {
  std::optional<reqid> lock_request;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::record_lock) {
      lock_request = p.header.id;
      return std::nullopt;
    }
    return reply_control{.status = 0, .data = {}, .error = {}};
  });
  s.connect_and_wait();
  slot<locked_record> lock;
  lock_record(s.c, db_id{1}, "key", 2s, lock.handler());
  REQUIRE(s.run([&] { return lock.value.has_value(); }));
  CHECK(lock.value->error().code == client_errc::timed_out);
  const bytes granted = wire::encode(record_lock_reply{.header = {}, .data = {}, .lock_id = 99});
  s.node.push(reply_control{.status = 0, .data = granted, .error = {}}, *lock_request);
  CHECK(s.run([&] { return s.node.count(control::record_unlock) == 1; }));
}

TEST_CASE("the node's own time limit of a lock is a time-out with its words") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::get_pnn) return reply_control{.status = 0, .data = {}, .error = {}};
    return reply_control{.status = record_status_timed_out, .data = {}, .error = "held by smbd"};
  });
  s.connect_and_wait();
  slot<locked_record> lock;
  lock_record(s.c, db_id{1}, "key", 2s, lock.handler());
  REQUIRE(s.run([&] { return lock.value.has_value(); }));
  CHECK(lock.value->error().code == client_errc::timed_out);
  CHECK(lock.value->error().text == "held by smbd");
}

TEST_CASE("a traverse hands out records until its end, and forgets its address") {
  scene* self = nullptr;
  scene s([&](const packet& p) -> std::optional<packet_body> {
    const auto& c = std::get<req_control>(p.body);
    if (c.opcode == control::traverse_start_ext) {
      const auto t = decode_request<control::traverse_start_ext>(c.data);
      REQUIRE(t);
      for (const byte_view key : {"a", "b"}) {
        bytes data;
        append_header(data, {.rsn = rsn{5}});
        data += "value";
        const bytes record =
            wire::encode(rec_data{.reqid = number(t->reqid), .key = key, .data = data});
        self->node.push(req_message{.srvid = t->srvid, .data = record});
      }
      const bytes end = wire::encode(rec_data{.reqid = number(t->reqid), .key = {}, .data = {}});
      self->node.push(req_message{.srvid = t->srvid, .data = end});
    }
    return reply_control{.status = 0, .data = {}, .error = {}};
  });
  self = &s;
  s.connect_and_wait();
  std::string keys;
  slot<traverse_result> end;
  traverse(
      s.c, db_id{1}, false, 5s,
      [&](const record_view& r) {
        keys += r.key;
        CHECK(r.data == "value");
        CHECK(r.header.rsn == rsn{5});
      },
      end.handler());
  REQUIRE(s.run([&] { return end.value.has_value(); }));
  REQUIRE(*end.value);
  CHECK((*end.value)->records == 2);
  CHECK(keys == "ab");
  CHECK(s.run([&] { return s.node.count(control::deregister_srvid) == 1; }));
}

TEST_CASE("a traverse ends with the connection") {
  scene s;
  s.connect_and_wait();
  slot<traverse_result> end;
  traverse(
      s.c, db_id{1}, false, 3600s, [](const record_view&) {}, end.handler());
  REQUIRE(s.run([&] { return s.node.count(control::traverse_start_ext) == 1; }));
  s.run([] { return false; }, 1s);
  CHECK_FALSE(end.value);
  s.node.close();
  REQUIRE(s.run([&] { return end.value.has_value(); }));
  CHECK(end.value->error().code == client_errc::disconnected);
}

TEST_CASE("who asks while the client goes is not told") {
  scene s([](const packet& p) -> std::optional<packet_body> {
    const bool hello = std::get<req_control>(p.body).opcode == control::get_pnn;
    if (hello) return reply_control{.status = 0, .data = {}, .error = {}};
    return std::nullopt;
  });
  s.connect_and_wait();
  struct asks_again {
    client& c;
    bool& told;
    ~asks_again() {
      c.control<control::ping>(pnn{0}, {}, 1s, [&to = told](const auto&) { to = true; });
    }
  };
  bool told = false;
  auto one = std::make_unique<client>(*s.loop, *s.own);
  bool up = false;
  one->connect({.socket = fake_node::socket}, {.connected = [&](pnn) { up = true; }});
  REQUIRE(s.run([&] { return up; }));
  for (int i = 0; i < 50; ++i)
    one->control<control::ping>(
        pnn{0}, {}, 5s,
        [owned = std::make_shared<asks_again>(*one, told), &told](const auto&) { told = true; });
  one = nullptr;
  s.run([] { return false; }, 20s);
  CHECK_FALSE(told);
}

TEST_CASE("a traverse without an end times out") {
  scene s;
  s.connect_and_wait();
  slot<traverse_result> end;
  traverse(
      s.c, db_id{1}, false, 5s, [](const record_view&) {}, end.handler());
  REQUIRE(s.run([&] { return end.value.has_value(); }));
  CHECK(end.value->error().code == client_errc::timed_out);
}
