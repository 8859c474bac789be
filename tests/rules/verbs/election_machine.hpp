#pragma once
/// One node's part in elections (protocol/rules/election.hpp) in a rule script, with the timers that it has armed.
#include <map>

#include "protocol/rules/election.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

struct election_machine final : machine {
  election_machine(pnn self, bool with_lock) : m(self, {}, with_lock) {}
  bool feed(words& event, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override;

  void put(const election_input&, std::string& out);

  election m;
  std::map<election_timer, std::uint64_t> armed{};  ///< serial of the last arming of each
  std::uint64_t lock_try = 0;                       ///< the last one
};

}  // namespace floe::rule_script
