#include "protocol/rules/keepalive.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <vector>

#include "protocol/rules/keepalive_mark.hpp"

using namespace floe;
using namespace std::chrono_literals;

namespace {

constexpr keepalive_settings normal{};

/// A peer and this node on one clock; ticks when they are due.
struct pair_of_nodes {
  keepalive_settings settings = normal;
  peer_watch watch;
  time_point now{};
  duration peer_sends_every{250ms};  ///< 0: it hangs

  explicit pair_of_nodes(bool quick) { watch.begin(now, quick); }
  /// Time until it is declared dead, or nothing within `limit`.
  std::optional<duration> death_within(duration limit) {
    const auto begin = now, end = now + limit;
    auto next_tick = now + watch.period(settings);
    auto next_keepalive = now + peer_sends_every;
    while (now < end) {
      const bool hangs = peer_sends_every == 0ms;
      now = hangs ? next_tick : std::min(next_tick, next_keepalive);
      if (!hangs && now == next_keepalive) {
        watch.heard(true, now);
        next_keepalive += peer_sends_every;
      }
      if (now != next_tick) continue;
      if (watch.tick(now, settings).dead) return now - begin;
      next_tick = now + watch.period(settings);
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("a ctdbd is dead after 5 whole intervals of 5 seconds, any packet counts") {
  peer_watch w;
  time_point now{};
  w.begin(now, false);
  CHECK(w.period(normal) == 5s);
  for (int i = 0; i < 3; ++i) CHECK(!w.tick(now += 5s, normal).dead);
  w.heard(false, now);
  for (int i = 0; i < 5; ++i) CHECK(!w.tick(now += 5s, normal).dead);
  CHECK(w.tick(now += 5s, normal).dead);
}

TEST_CASE("a connection that was just made starts afresh") {
  peer_watch w;
  time_point now{};
  w.begin(now, false);
  for (int i = 0; i < 5; ++i) w.tick(now += 5s, normal);
  w.begin(now, false);
  for (int i = 0; i < 5; ++i) CHECK(!w.tick(now += 5s, normal).dead);
  CHECK(w.tick(now += 5s, normal).dead);
}

TEST_CASE("a floe node that hangs is noticed within three seconds") {
  pair_of_nodes p(true);
  CHECK(!p.death_within(60s));
  p.peer_sends_every = 0ms;
  const auto noticed = p.death_within(60s);
  REQUIRE(noticed);
  CHECK(*noticed >= 2400ms);
  CHECK(*noticed <= 3s);
}

TEST_CASE(
    "a floe node that is silent is asked over a new connection shortly before it is dead; a ctdbd "
    "is not") {
  for (const bool floe : {true, false}) {
    peer_watch w;
    time_point now{};
    w.begin(now, floe);
    for (int i = 0; i < 3; ++i) w.heard(true, now += 250ms);
    std::optional<duration> asked;
    for (int i = 0; i < 200; ++i) {
      const auto v = w.tick(now += w.period(normal), normal);
      if (v.ask && !asked) asked = v.allowed - v.silent;
      if (v.dead) break;
    }
    CHECK(asked.has_value() == floe);
    if (asked) CHECK((*asked > 0ms && *asked <= 400ms));
  }
}

TEST_CASE("a ctdbd, which sends every five seconds, is never judged by the fine limit") {
  pair_of_nodes p(false);
  p.peer_sends_every = 5s;
  CHECK(!p.death_within(600s));
  p.peer_sends_every = 0ms;
  const auto noticed = p.death_within(600s);
  REQUIRE(noticed);
  CHECK(*noticed >= 25s);
  CHECK(*noticed <= 30s);
}

TEST_CASE("a floe node that sends rarely, or stumbles, gets time in proportion") {
  pair_of_nodes p(true);
  p.peer_sends_every = 2s;  // its FloeKeepaliveMs is another
  CHECK(!p.death_within(60s));
  p.peer_sends_every = 0ms;
  const auto noticed = p.death_within(60s);
  REQUIRE(noticed);
  CHECK(*noticed >= 7s);
  CHECK(*noticed <= 9s);
}

TEST_CASE("without a second keepalive, and with FloeKeepaliveMs 0, CTDB's limit applies") {
  pair_of_nodes fresh(true);
  fresh.peer_sends_every = 0ms;
  CHECK(*fresh.death_within(60s) >= 25s);
  pair_of_nodes off(true);
  off.settings.quick_interval = 0ms;
  CHECK(!off.death_within(20s));
  off.peer_sends_every = 0ms;
  CHECK(*off.death_within(60s) >= 25s);
}

TEST_CASE("a node that was starved itself judges nobody by that time") {
  pair_of_nodes p(true);
  CHECK(!p.death_within(10s));
  // stopped for a minute: the first tick afterwards, before any packet could be read
  CHECK(!p.watch.tick(p.now += 60s, p.settings).dead);
  // and starved for good: its ticks come three times too late; it never judges
  for (int i = 0; i < 200; ++i) CHECK(!p.watch.tick(p.now += 750ms, p.settings).dead);
  // awake again it does
  p.peer_sends_every = 0ms;
  CHECK(p.death_within(30s));
}

TEST_CASE("KeepaliveInterval and KeepaliveLimit keep their meaning for floe nodes too") {
  pair_of_nodes p(true);
  p.settings = {.interval = 1s, .limit = 2};
  p.death_within(2s);
  p.peer_sends_every = 0ms;
  const auto noticed = p.death_within(60s);
  REQUIRE(noticed);
  CHECK(*noticed >= 1900ms);
  CHECK(*noticed <= 2500ms);
}

TEST_CASE(
    "versions: who has run longer stays, of equals the newer; one of two that differ always "
    "leaves") {
  constexpr std::uint32_t v17 = 0x40011, v18 = 0x40012;
  using enum version_verdict;
  struct row {
    keepalive_claim own, sender;
    bool allow_mixed;
    version_verdict verdict;
  };
  for (const auto& r : std::vector<row>{
           {{v17, 10}, {v17, 99}, false, fits},
           {{v17, 10}, {v18, 99}, false, shut_down},
           {{v18, 10}, {v17, 99}, false, shut_down},
           {{v17, 99}, {v18, 10}, false, tolerate},
           {{v17, 10}, {v18, 10}, false, shut_down},
           {{v18, 10}, {v17, 10}, false, tolerate},
           {{v17, 99}, {std::nullopt, 0}, false, shut_down},
           {{v17, 10}, {v18, 99}, true, tolerate},
           {{v17, 99}, {std::nullopt, 0}, true, tolerate},
       }) {
    CHECK(judge_version(r.own, r.sender, r.allow_mixed) == r.verdict);
    if (r.sender.version && r.own.version != r.sender.version && !r.allow_mixed)
      CHECK((judge_version(r.own, r.sender, false) == shut_down) !=
            (judge_version(r.sender, r.own, false) == shut_down));
  }
}

TEST_CASE("settings beyond all sense make nobody dead at once") {
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t interval : {1U, most / 2, most})
    for (const std::uint32_t limit : {1U, most / 2, most}) {
      pair_of_nodes p(true);
      p.settings = {.interval = std::chrono::seconds(interval),
                    .limit = limit,
                    .quick_interval = std::chrono::milliseconds(most),
                    .quick_limit = std::chrono::milliseconds(most)};
      const auto verdict = p.watch.tick(p.now + 1ms, p.settings);
      CHECK_FALSE(verdict.dead);
      CHECK_FALSE(verdict.ask);
      CHECK(verdict.allowed >= 1s);
    }
}

TEST_CASE("what floe's nodes write into their keepalives: nothing is CTDB's") {
  CHECK(bits_of({}) == 0);
  CHECK(keepalive_mark_in(0) == keepalive_mark{});
  for (const keepalive_mark& m :
       {keepalive_mark{.number = 17, .limit = 2500ms},
        keepalive_mark{.number = 4095, .limit = 100ms},
        keepalive_mark{.heard = 4095, .limit = 25'500ms}, keepalive_mark{.heard = 1}})
    CHECK(keepalive_mark_in(bits_of(m)) == m);
  // less than what it waits, never more
  CHECK(keepalive_mark_in(bits_of({.limit = 2599ms})).limit == 2500ms);
  CHECK(keepalive_mark_in(bits_of({.limit = 10min})).limit == 25'500ms);
}

TEST_CASE("keepalives are numbered from 1, again and again") {
  CHECK(number_after(0) == 1);
  CHECK(number_after(1) == 2);
  CHECK(number_after(keepalive_mark::last_number) == 1);
}
