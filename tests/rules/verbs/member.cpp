/// member N [flags=BANNED|STOPPED] [level=L] [may=lead|track|leave] [gen=G] [map=0,1], and below it, if it has others than the
/// usual, a line for each of its databases:
///     0x1[:PERSISTENT] [gen=G members=0,1 [committed]]
/// what this node, or these nodes, tell of themselves in a recovery of the cluster from now on. `level` is the feature
/// level (0: a ctdbd), `gen` behind a database what it tells of that alone. `databases=none`: it has none.
#include <algorithm>

#include "protocol/constants.hpp"
#include "protocol/rules/feature_level.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/cluster_recovery_machine.hpp"

namespace floe::rule_script {

static std::uint32_t node_flags(const std::string& text) {
  std::uint32_t flags = 0;
  for (const auto& word : parts(text, '|')) {
    const auto names = node_flag_names();
    const auto at = std::ranges::find(names, std::string_view(word), &flag_name::name);
    if (at == names.end()) throw mistake("\"" + word + "\" is no flag of a node");
    flags |= static_cast<std::uint32_t>(at->bits);
  }
  return flags;
}

static std::uint32_t capabilities(const std::string& text) {
  std::uint32_t all = capability::features;
  for (const auto& word : parts(text, '|'))
    if (word == "lead")
      all |= capability::recmaster;
    else if (word == "track")
      all |= capability::lmaster;
    else if (word == "leave")
      all |= capability::leaving;
    else
      throw mistake("\"" + word + "\" is none of lead track leave");
  return all;
}

static void take_generation(words& from, generation& to) {
  std::uint32_t n = 0;
  if (auto v = from.option("gen")) {
    parse(*v, n);
    to = generation{n};
  }
}

static std::string run(world& w, words& said, const std::vector<std::string>& body) {
  auto& r = w.as<cluster_recovery_machine>("member");
  std::vector<pnn> who;
  parse(said.next("the node's number"), who);
  cluster_member m = r.nodes.contains(who.front()) ? r.nodes.at(who.front()) : cluster_member{};
  if (auto v = said.option("flags")) m.flags = node_flags(*v);
  if (auto v = said.option("may")) m.capabilities = capabilities(*v);
  if (auto v = said.option("level")) {
    std::uint32_t level = 0;
    parse(*v, level);
    m.capabilities = capabilities_with_level(m.capabilities, level);
  }
  take_generation(said, m.gen);
  if (auto v = said.option("map")) parse(*v, m.map);
  if (auto v = said.option("databases")) {
    if (*v != "none") throw mistake("member: databases=none, or a line for each below");
    m.databases.clear();
  }
  if (!body.empty()) m.databases.clear();
  for (const auto& text : body) {
    words line(text);
    auto& entry = m.databases.emplace_back();
    parse(line.name(), entry);
    lineage of{.gen = generation::invalid};
    take_generation(line, of.gen);
    if (auto v = line.option("members")) parse(*v, of.members);
    of.committed = line.flag("committed");
    if (of.gen != generation::invalid) entry.line = of;
    line.finish();
  }
  for (const pnn n : who) r.nodes[n] = m;
  return {};
}

extern const verb member_verb{"member",
                              "member N [flags=STOPPED] [level=L] [may=lead|track|leave] [gen=G] "
                              "[map=0,1] [databases=none], and its "
                              "databases below",
                              run};

}  // namespace floe::rule_script
