/// look [round=N] [members=0,1], and below it, for each node that has changed, a line
///     N [gen=G] [map=0,1] [sees=0,1] [active|normal] [flags=F] [ctdbd] [beside] | N silent | N away
/// what it says from now on: `sees` the nodes it is connected to, `active` and `normal` the recovery mode, `silent`: it does not
/// answer, `away`: the leader is not connected to it, `beside`: it tracks no records. `members`: of the leader's generation, some
/// of them beside the map. The round that is out ends with what all say now.
#include <algorithm>

#include "protocol/constants.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/leader_watch_machine.hpp"

namespace floe::rule_script {

static void change(node_look& l, words& line, std::size_t count) {
  std::vector<pnn> sees;
  std::uint32_t number_of_generation = 0, flags = 0;
  if (line.flag("silent")) l = {.node = l.node};
  if (auto v = line.option("gen")) {
    parse(*v, number_of_generation);
    l.gen = generation{number_of_generation};
  }
  if (auto v = line.option("map")) parse(*v, l.map);
  if (auto v = line.option("flags")) {
    parse(*v, flags);
    l.flags = flags;
  }
  if (line.flag("ctdbd"))
    l.capabilities = capability::features | capability::recmaster | capability::lmaster;
  if (line.flag("beside") && l.capabilities) *l.capabilities &= ~capability::lmaster;
  if (line.flag("active")) l.mode = recovery_mode::active;
  if (line.flag("normal")) l.mode = recovery_mode::normal;
  if (auto v = line.option("sees")) {
    parse(*v, sees);
    l.others.assign(count, 0U);
    for (std::size_t i = 0; i < count; ++i)
      if (std::ranges::find(sees, pnn{static_cast<std::uint32_t>(i)}) == sees.end())
        l.others[i] = node_flag::disconnected;
  }
}

static std::string run(world& w, words& said, const std::vector<std::string>& body) {
  auto& m = w.as<leader_watch_machine>("look");
  const auto count = m.nodes.begin()->second.others.size();
  for (const auto& text : body) {
    words line(text);
    pnn who{0};
    parse(line.name(), who);
    if (!m.nodes.contains(who)) throw mistake("look: no node " + line.name());
    auto& l = m.nodes[who];
    if (line.flag("away")) {
      m.away.insert(who);
    } else {
      m.away.erase(who);
      change(l, line, count);
    }
    line.finish();
  }
  watch_event::looked e{
      .round = m.round, .nodes = {}, .view = std::vector<std::uint32_t>(count, 0U)};
  if (auto v = said.option("round")) parse(*v, e.round);
  if (auto v = said.option("members")) parse(*v, e.members);
  for (const auto& [n, l] : m.nodes)
    if (m.away.contains(n))
      e.view[number(n)] = node_flag::disconnected;
    else
      e.nodes.push_back(l);
  std::string out;
  m.put(e, out);
  return out;
}

extern const verb look_verb{"look", "look [round=N], and what nodes say below", run};

}  // namespace floe::rule_script
