/// each_from STATE [tid=N] ...: every line below is an event, and each is tried from this state anew. A line per event:
/// what follows from it.
#include "tests/rules/verbs/freeze_machine.hpp"

namespace floe::rule_script {

static std::string run(world&, words& said, const std::vector<std::string>& body) {
  const auto from = parse_freeze_status(said);
  std::string out;
  for (const auto& line : body) {
    freeze_machine m;
    m.now = from;
    words event(line);
    std::string follows;
    if (!m.feed(event, follows)) throw mistake("\"" + line + "\" is no event of a freeze");
    out += line + " -> " + follows + "\n";
  }
  return out;
}

extern const verb each_from_verb{
    "each_from", "each_from STATE [tid=N] [wiped] [pushing] [records_invalid], and events below",
    run};

}  // namespace floe::rule_script
