/// node N in=PHASE does=HOW [times=N]: what this node does in a phase, instead of obeying, from now on. HOW is a cause of
/// failure (refused, "timed out", disconnected; with detail=TEXT, takes=TIME), `silent`, or `answers` with number=N
/// (records, or a sequence number), text=NAME, copy=76:complete, past=75:77+76 (written in 75, came from 77 and 76), `damaged`. `node N obeys` ends all of it.
/// In a recovery of the cluster HOW is a cause of failure, `silent`, or `gone` (its connection ends); attaches=0x3: and
/// meanwhile it has got that database.
#include <algorithm>

#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/cluster_recovery_machine.hpp"
#include "tests/rules/verbs/db_recovery_machine.hpp"

namespace floe::rule_script {

static std::string in_the_cluster(cluster_recovery_machine& r, words& said) {
  std::vector<pnn> nodes;
  parse(said.next("the node's number"), nodes);
  if (said.flag("obeys")) {
    std::erase_if(r.others, [&](const cluster_behaviour& b) {
      return std::ranges::find(nodes, b.node) != nodes.end();
    });
    return {};
  }
  cluster_behaviour b;
  const auto in = said.option("in");
  const auto how = said.option("does");
  if (!in || !how) throw mistake("node: in=PHASE does=HOW is missing");
  parse(*in, b.phase);
  if (*how == "silent" || *how == "gone") {
    b.does = *how == "gone" ? cluster_behaviour::kind::gone : cluster_behaviour::kind::silent;
  } else {
    parse(*how, b.cause);
    if (auto v = said.option("detail")) b.detail = *v;
  }
  if (auto v = said.option("attaches")) parse(*v, b.attaches);
  if (auto v = said.option("times")) parse(*v, b.left);
  for (const pnn n : nodes) {
    b.node = n;
    r.others.push_back(b);
  }
  return {};
}

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  if (auto* c = dynamic_cast<cluster_recovery_machine*>(w.current.get()))
    return in_the_cluster(*c, said);
  auto& r = w.as<db_recovery_machine>("node");
  std::vector<pnn> nodes;
  parse(said.next("the node's number"), nodes);
  if (said.flag("obeys")) {
    std::erase_if(r.others, [&](const behaviour& b) {
      return std::ranges::find(nodes, b.node) != nodes.end();
    });
    return {};
  }
  behaviour b;
  const auto in = said.option("in");
  const auto how = said.option("does");
  if (!in || !how) throw mistake("node: in=PHASE does=HOW is missing");
  parse(*in, b.phase);
  if (*how == "silent") {
    b.does = behaviour::kind::silent;
  } else if (*how == "answers") {
    b.does = behaviour::kind::answers;
    if (auto v = said.option("number")) parse(*v, b.how.number);
    if (auto v = said.option("copy")) parse(*v, b.how.copy);
    if (auto v = said.option("past")) parse(*v, b.how.past);
    if (auto v = said.option("text")) b.how.text = *v;
    b.how.whole = !said.flag("damaged");
  } else {
    b.does = behaviour::kind::fails;
    parse(*how, b.cause);
    if (auto v = said.option("detail")) b.detail = *v;
    if (auto v = said.option("takes")) parse(*v, b.takes);
  }
  if (auto v = said.option("times")) parse(*v, b.left);
  for (const pnn n : nodes) {
    b.node = n;
    r.others.push_back(b);
  }
  return {};
}

extern const verb node_verb{
    "node", "node N in=PHASE does=refused|\"timed out\"|silent|answers [...] [times=N]", run};

}  // namespace floe::rule_script
