/// Messages among leaders that say what no node would: who sends them need not be one.
#include <doctest/doctest.h>

#include "actors/events.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/membership.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

TEST_CASE("forged messages: whoever votes for a number that no node has elects nobody") {
  for (const auto number_of_nobody : {7U, 0xF0000004U}) {
    sim_cluster c(3);
    REQUIRE(c.settle(20s));
    const auto lost = c.leader();
    const pnn hears{static_cast<std::uint32_t>((lost + 2) % 3)};
    auto& client = c.connect((lost + 1) % 3);
    c.kill(lost);
    const auto vote = wire::encode(election_message{
        .num_connected = 9, .priority_time = {}, .pnn = pnn{number_of_nobody}, .node_flags = 0});
    for (int i = 0; i < 400; ++i, pass(c, 5ms)) client.send_message(hears, message::election, vote);
    REQUIRE(c.settle(30s));
    for (const auto& said : c.log()) {
      const auto line = parse_event(std::string_view(said).substr(2));
      const auto elected = line ? as<event::leader_known>(*line) : std::nullopt;
      if (elected) CHECK(number(elected->pnn) < 3);
    }
  }
}
