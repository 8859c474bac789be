#include "actors/client/request_table.hpp"

#include <doctest/doctest.h>

using namespace floe;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{1000s};

/// What became of one request.
struct outcome {
  int calls = 0;
  result<client_reply> last = std::unexpected(client_error{});
  reply_handler handler() {
    return [this](result<client_reply> r) {
      ++calls;
      last = std::move(r);
    };
  }
};

struct incoming {
  frame raw;
  packet content;
};
incoming packet_for(reqid id, const packet_body& body) {
  auto raw = std::make_shared<const bytes>(encode_packet({.id = id}, body));
  auto content = decode_packet(*raw);
  REQUIRE(content);
  return {raw, *content};
}
bool give(request_table& t, reqid id, const packet_body& body) {
  const auto p = packet_for(id, body);
  return t.answer(p.raw, p.content);
}

}  // namespace

TEST_CASE("answers find their request by its number, in any order") {
  request_table t;
  outcome a, b;
  const auto first = t.add(pnn{0}, start + 1s, a.handler());
  const auto second = t.add(pnn{0}, start + 1s, b.handler());
  CHECK(first != second);
  CHECK(give(t, second, reply_control{.status = 7, .data = "b"}));
  CHECK(a.calls == 0);
  REQUIRE(b.calls == 1);
  REQUIRE(b.last);
  CHECK(b.last->status == 7);
  CHECK(b.last->data == "b");
  CHECK(give(t, first, reply_control{.status = 0, .data = "a"}));
  CHECK(a.last->data == "a");
  CHECK(t.size() == 0);
  CHECK_FALSE(t.next_deadline());
}

TEST_CASE("an answer counts once") {
  request_table t;
  outcome a;
  const auto id = t.add(pnn{0}, start + 1s, a.handler());
  CHECK(give(t, id, reply_control{}));
  CHECK_FALSE(give(t, id, reply_control{}));
  CHECK_FALSE(give(t, reqid{12345}, reply_control{}));
  CHECK(a.calls == 1);
}

TEST_CASE("what is no answer leaves requests alone") {
  request_table t;
  outcome a;
  const auto id = t.add(pnn{0}, start + 1s, a.handler());
  CHECK_FALSE(give(t, id, req_message{.srvid = srvid{5}, .data = "x"}));
  CHECK_FALSE(give(t, id, req_control{.opcode = control::ping, .data = {}}));
  CHECK(a.calls == 0);
  CHECK(t.size() == 1);
}

TEST_CASE("a negative status is a refusal with the node's words, with and without their NUL") {
  for (const byte_view words :
       {byte_view("unknown database"), byte_view("unknown database\0", 17)}) {
    request_table t;
    outcome a;
    const auto id = t.add(pnn{2}, start + 1s, a.handler());
    CHECK(give(t, id, reply_control{.status = -1, .data = {}, .error = words}));
    REQUIRE_FALSE(a.last);
    CHECK(a.last.error().code == client_errc::refused);
    CHECK(a.last.error().status == -1);
    CHECK(a.last.error().text == "unknown database");
    CHECK(a.last.error().node == pnn{2});
    CHECK(a.last.error().describe() == "refused by node 2 (-1): unknown database");
  }
}

TEST_CASE("calls are answered by REPLY_CALL, or refused by REPLY_ERROR whatever its status says") {
  request_table t;
  outcome a, b;
  const auto first = t.add(pnn::current, start + 1s, a.handler());
  const auto second = t.add(pnn::current, start + 1s, b.handler());
  CHECK(give(t, first, reply_call{.status = 0, .data = "record"}));
  CHECK(a.last->data == "record");
  CHECK(give(t, second, reply_error{.status = 0, .message = "no"}));
  REQUIRE_FALSE(b.last);
  CHECK(b.last.error().code == client_errc::refused);
}

TEST_CASE("deadlines end requests in their order, and only those that are due") {
  request_table t;
  outcome a, b, c;
  t.add(pnn{0}, start + 3s, a.handler());
  t.add(pnn{1}, start + 1s, b.handler());
  t.add(pnn{2}, start + 2s, c.handler());
  CHECK(t.next_deadline() == start + 1s);
  t.expire(start + 2s);
  CHECK(a.calls == 0);
  REQUIRE(b.calls == 1);
  CHECK(b.last.error().code == client_errc::timed_out);
  CHECK(b.last.error().node == pnn{1});
  CHECK(c.calls == 1);
  CHECK(t.next_deadline() == start + 3s);
}

TEST_CASE("what is granted after the deadline goes to the handler for late answers, once") {
  request_table t;
  outcome a, late;
  const auto id = t.add(pnn{0}, start + 1s, a.handler(), late.handler());
  t.expire(start + 1s);
  CHECK(a.last.error().code == client_errc::timed_out);
  CHECK(give(t, id, reply_control{.status = 0, .data = "lock"}));
  REQUIRE(late.calls == 1);
  CHECK(late.last->data == "lock");
  CHECK_FALSE(give(t, id, reply_control{}));
  CHECK(a.calls == 1);
}

TEST_CASE("a late answer is of no use any more when the connection has ended") {
  request_table t;
  outcome a, late;
  const auto id = t.add(pnn{0}, start + 1s, a.handler(), late.handler());
  t.expire(start + 1s);
  t.fail_all({client_errc::disconnected, 0, "gone", pnn::current});
  CHECK_FALSE(give(t, id, reply_control{}));
  CHECK(late.calls == 0);
}

TEST_CASE("a lost connection ends all, each with its node") {
  request_table t;
  outcome a, b;
  t.add(pnn{4}, start + 1s, a.handler());
  t.add(pnn{5}, start + 2s, b.handler());
  t.fail_all({client_errc::disconnected, 0, "gone", pnn::current});
  CHECK(a.last.error().code == client_errc::disconnected);
  CHECK(a.last.error().node == pnn{4});
  CHECK(b.last.error().node == pnn{5});
  CHECK(t.size() == 0);
}

TEST_CASE("handlers may ask again; new requests are not caught up in the end of the old") {
  request_table t;
  outcome again;
  int ended = 0;
  t.add(pnn{0}, start + 1s, [&](const auto& r) {
    ++ended;
    CHECK_FALSE(r);
    t.add(pnn{0}, start + 1s, again.handler());
  });
  t.fail_all({client_errc::disconnected, 0, "gone", pnn::current});
  CHECK(ended == 1);
  CHECK(again.calls == 0);
  CHECK(t.size() == 1);
}

TEST_CASE("a handler may clear the table that is ending") {
  request_table t;
  outcome b;
  t.add(pnn{0}, start + 1s, [&](const auto&) { t.clear(); });
  t.add(pnn{0}, start + 2s, b.handler());
  t.fail_all({client_errc::disconnected, 0, "gone", pnn::current});
  CHECK(b.calls == 0);
}

TEST_CASE("numbers of requests that are still open are not given twice") {
  request_table t;
  outcome a;
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i)
    CHECK(seen.insert(number(t.add(pnn{0}, start + 1s, a.handler()))).second);
  CHECK_FALSE(seen.contains(0));
}
