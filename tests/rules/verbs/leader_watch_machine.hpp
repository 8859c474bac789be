#pragma once
/// The watch of a leader in a script, and what the nodes would answer to its questions.
#include <map>
#include <set>

#include "protocol/rules/leader_watch.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

struct leader_watch_machine final : machine {
  leader_watch_machine(world& w, pnn self, std::size_t nodes, std::uint32_t level);
  bool feed(words& event, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override;

  void put(const watch_input&, std::string& out);

  world& in;
  leader_watch m;
  std::uint64_t round = 0;           ///< the last one asked
  std::map<pnn, node_look> nodes{};  ///< what each would say
  std::set<pnn> away{};              ///< the leader is not connected to them
};

}  // namespace floe::rule_script
