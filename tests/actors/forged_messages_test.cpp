/// What no node would send: who sends it need not be one.
#include <doctest/doctest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "actors/events.hpp"
#include "protocol/controls.hpp"
#include "protocol/hash.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/wire/generator.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

namespace {

/// They do as they are told: end the node, take it out, set what nobody can live with.
constexpr control meant[] = {control::shutdown,       control::set_tunable,
                             control::set_ban_state,  control::stop_node,
                             control::disable_node,   control::set_lmasterrole,
                             control::set_hold_phase, control::set_recmasterrole,
                             control::modify_flags,   control::goodbye};

/// Packets whose payloads are valid, as their types have them; most are about databases and generations that there are.
class forger {
 public:
  forger(sim_cluster& c, std::uint64_t seed) : c_(c), any_(seed) {
    for (const std::size_t n : {0, 2}) senders_.push_back(&c.connect(n));
    for (const auto kind :
         {control::db_attach, control::db_attach_persistent, control::db_attach_replicated}) {
      const std::string name = "odd" + std::to_string(known_.size());
      REQUIRE(ask_any(c, *senders_[0], kind, encode_request<control::db_attach>({name})));
      known_.push_back(number(db_id_of(name)));
    }
  }

  void send() {
    auto& by = *senders_[any_.below(senders_.size())];
    const pnn to{static_cast<std::uint32_t>(any_.below(3))};
    if (any_.below(6) == 0) {
      const auto& m = all_messages()[any_.below(all_messages().size())];
      if (m.first == message::disable_recoveries) return;  // a pause of minutes is meant, too
      return by.send_message(to, srvid{number(m.first) + any_.below(2)}, known(*m.type));
    }
    const auto& info = all_controls()[any_.below(all_controls().size())];
    if (std::ranges::find(meant, info.opcode) == std::end(meant))
      by.send_control_unanswered(to, info.opcode, known(*info.request), srvid{any_.below(4)});
  }

 private:
  bytes known(const wire::type_info& type) {
    auto data = type.generate(any_);
    const auto put = [&](std::size_t at, std::uint32_t value) {
      if (data.size() >= at + sizeof value) std::memcpy(data.data() + at, &value, sizeof value);
    };
    if (any_.coin()) put(0, known_[any_.below(known_.size())]);
    if (any_.below(20) == 0) look();
    if (any_.coin()) put(4, generation_);
    return data;
  }

  void look() {
    generation_ =
        nlohmann::json::parse(c_.status(any_.below(3)))["generation"].get<std::uint32_t>();
  }

  sim_cluster& c_;
  wire::generator any_;
  std::uint32_t generation_ = 0;
  std::vector<client*> senders_;
  std::vector<std::uint32_t> known_;
};

}  // namespace

TEST_CASE("forged packets: any control and any message, in any order and at any time") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 12 : 2); ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed);
    REQUIRE(c.settle(20s));
    forger odd(c, seed);
    for (int i = 0; i < 600; ++i, pass(c, i % 7 == 0 ? 40ms : 1ms)) odd.send();
    auto& by = c.connect(0);
    CHECK(c.settle(120s));
    write_now(c, by, attach_now(c, by, "afterwards.tdb"), "key", "value");
  }
}

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
