/// Controls of a whole node, as its clients and other nodes send them.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/hash.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/connection.hpp"
#include "protocol/types/public_ip.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

namespace {

/// The status that a control ends with; below zero the node's text goes to `why`.
template <control C>
std::int32_t status_now(sim_cluster& c, client& who, const request_of<C>& request,
                        std::string* why = nullptr, request_options options = {}) {
  const auto r = ask_any(c, who, C, encode_request<C>(request), {.options = std::move(options)});
  if (!r && why) *why = r.error().text;
  return r ? r->status : r.error().status;
}

/// For conditions that ask a node, which takes its own run of the loop.
template <class Condition>
bool comes_true(sim_cluster& c, Condition is_so) {
  for (int i = 0; i < 600; ++i, pass(c, 100ms))
    if (is_so()) return true;
  return false;
}

}  // namespace

TEST_CASE(
    "a node without public addresses answers as ctdbd does, and remembers the connections of "
    "services") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  const tcp_connection first{.src = *parse_address("10.1.0.1", 445),
                             .dst = *parse_address("10.1.0.2", 50000)};
  const tcp_connection second{.src = first.src, .dst = *parse_address("10.1.0.3", 50000)};
  const auto remembered = [&] {
    return nlohmann::json::parse(c.status(0))["held"]["tcp_connections"].get<int>();
  };
  CHECK(status_now<control::tcp_client>(c, who, first) == 0);
  CHECK(status_now<control::tcp_client>(c, who, second) == 0);
  CHECK(status_now<control::tcp_client>(c, who, second) == 0);  // twice is once
  CHECK(remembered() == 2);
  CHECK(status_now<control::tcp_client_disconnected>(c, who, first) == 0);
  CHECK(remembered() == 1);
  CHECK(status_now<control::tcp_client>(c, who, first) == 0);
  CHECK(remembered() == 2);
  // smbd gives a connection to another process of its own, which says TCP_CLIENT for itself
  auto& other = c.connect(0);
  CHECK(status_now<control::tcp_client>(c, other, first) == 0);
  CHECK(status_now<control::tcp_client_passed>(c, who, first) == 0);
  CHECK(remembered() == 2);
  CHECK(status_now<control::tcp_client_passed>(c, who, first) == 0);  // once more is nothing
  CHECK(status_now<control::tcp_client_disconnected>(c, other, first) == 0);
  CHECK(remembered() == 1);
  CHECK(status_now<control::start_ipreallocate>(c, who, {}) == 0);
  CHECK(status_now<control::tcp_add>(c, who, first) == 0);
  CHECK(status_now<control::tcp_add_delayed_update>(c, who, first) == 0);
  CHECK(status_now<control::tcp_remove>(c, who, first) == 0);
  CHECK(status_now<control::get_tcp_tickle_list>(c, who, first.src) == 1);
  CHECK(status_now<control::set_tcp_tickle_list>(c, who, {.addr = first.src}) == 1);
  CHECK(status_now<control::send_gratuitous_arp>(c, who, {.addr = first.src, .iface = "eth0"}) ==
        0);
  CHECK(status_now<control::release_ip>(c, who, {.pnn = pnn{1}, .addr = first.src}) == 0);
  CHECK(status_now<control::takeover_ip>(c, who, {.pnn = pnn{0}, .addr = first.src}) == 0);
  CHECK(status_now<control::takeover_ip>(c, who, {.pnn = pnn{1}, .addr = first.src}) == -1);
  CHECK(status_now<control::get_public_ip_info>(c, who, first.src) == -1);
  CHECK(status_now<control::set_iface_link_state>(c, who, {.name = "eth0"}) == -1);
  CHECK(status_now<control::reload_public_ips>(c, who, {}) == 0);
  c.disconnect(who);
  CHECK(comes_true(c, [&] { return remembered() == 0; }));
}

TEST_CASE("what a client may register has a limit that is said, and what it leaves is forgotten") {
  if (!thorough) return;  // a hundred thousand requests
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  const auto held = [&] {
    return nlohmann::json::parse(c.status(0))["held"]["registrations"].get<std::size_t>();
  };
  const auto before = held();
  constexpr std::size_t limit = 100'000;
  std::size_t answered = 0, refused = 0;
  for (std::uint64_t i = 0; i < limit + 10; ++i)
    who.send_control(pnn::current, control::register_srvid, {}, 60s,
                     [&](const result<client_reply>& r) {
                       ++answered;
                       refused += !r;
                     },
                     {.srvid = srvid{0x1000'0000 + i}});
  REQUIRE(c.run([&] { return answered == limit + 10; }));
  CHECK(refused >= 10);
  CHECK(refused < 20);  // the client's own registrations count
  std::string why;
  CHECK(status_now<control::register_srvid>(c, who, {}, &why, {.srvid = srvid{7}}) == -1);
  CHECK(why.find("limit") != std::string::npos);
  CHECK(status_now<control::deregister_srvid>(c, who, {}, nullptr, {.srvid = srvid{0x1000'0000}}) ==
        0);
  CHECK(status_now<control::deregister_srvid>(c, who, {}, nullptr, {.srvid = srvid{0x1000'0000}}) ==
        2);
  CHECK(status_now<control::register_srvid>(c, who, {}, nullptr, {.srvid = srvid{7}}) == 0);
  c.disconnect(who);
  CHECK(comes_true(c, [&] { return held() <= before; }));
}

TEST_CASE(
    "names of databases: what ctdbd takes is taken, what would leave the directory or is too long "
    "for its file is not") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  for (const std::string& name :
       {std::string("two words.tdb"), std::string(".hidden"), std::string(230, 'x'),
        std::string("caf\xc3\xa9"), std::string("a\nb"), std::string(253, 'x')}) {
    CAPTURE(name);
    CHECK(attach_now(c, who, name) == db_id_of(name));
    CHECK(status_now<control::get_dbname>(c, who, db_id_of(name)) == 0);
  }
  for (const std::string& name :
       {std::string(), std::string("../x"), std::string("a/b"), std::string(254, 'x')}) {
    CAPTURE(name);
    CHECK(status_now<control::db_attach>(c, who, {name}) == -1);
  }
}

TEST_CASE("the memory report has a line for each thing that a node keeps") {
  sim_cluster c(1);
  REQUIRE(c.settle(20s));
  auto& who = c.connect(0);
  attach_now(c, who, "locking.tdb");
  std::optional<std::string> text;
  who.control<control::dump_memory>(
      pnn::current, {}, 10s, [&](const auto& a) { text = a ? std::string(a->value.value) : ""; });
  REQUIRE(c.run([&] { return text.has_value(); }));
  CHECK(std::ranges::count(*text, '\n') >= 10);
  CHECK(text->find("locking.tdb: records") != std::string::npos);
}

TEST_CASE(
    "who registers for the leader while nobody leads hears of the last one for ten seconds, and no "
    "longer") {
  sim_cluster c(2, 1, {.cluster_lock = true, .start = true});
  REQUIRE(c.settle(20s));
  const auto leader = c.leader(), other = 1 - leader;
  auto& who = c.connect(other);
  const auto told = [&] {
    bool heard = false;
    who.listen(
        message::leader, [&](const client_message&) { heard = true; }, 10s,
        [](const result<void>&) {});
    pass(c, 100ms);
    who.unlisten(message::leader);
    pass(c, 100ms);
    return heard;
  };
  CHECK(told());
  c.hang(leader);  // and keeps the lock, so that nobody else leads
  REQUIRE(
      comes_true(c, [&] { return nlohmann::json::parse(c.status(other))["leader"].is_null(); }));
  CHECK(told());
  pass(c, 11s);
  REQUIRE(nlohmann::json::parse(c.status(other))["leader"].is_null());
  CHECK_FALSE(told());
}
