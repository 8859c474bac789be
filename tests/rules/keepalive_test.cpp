#include "protocol/rules/keepalive.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace floe;
using verdict = peer_silence::verdict;

TEST_CASE("silence: dead after `limit` whole intervals, any packet counts") {
  peer_silence s;
  CHECK(s.tick(true, 3) == verdict::send_keepalive);  // just connected
  CHECK(s.tick(true, 3) == verdict::send_keepalive);
  CHECK(s.tick(true, 3) == verdict::send_keepalive);
  CHECK(s.missed() == 2);
  s.heard();
  CHECK(s.tick(true, 3) == verdict::send_keepalive);
  CHECK(s.missed() == 0);
  CHECK(s.tick(true, 3) == verdict::send_keepalive);
  CHECK(s.tick(true, 3) == verdict::send_keepalive);
  CHECK(s.tick(true, 3) == verdict::dead);
}

TEST_CASE("silence: nothing is counted without a connection, and a new one starts afresh") {
  peer_silence s;
  s.tick(true, 2);
  s.tick(true, 2);
  CHECK(s.missed() == 1);
  CHECK(s.tick(false, 2) == verdict::nothing);
  CHECK(s.missed() == 0);
  CHECK(s.tick(true, 2) == verdict::send_keepalive);
  CHECK(s.tick(true, 2) == verdict::send_keepalive);
  CHECK(s.tick(true, 2) == verdict::dead);
  s.reset();
  CHECK(s.tick(true, 2) == verdict::send_keepalive);
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
