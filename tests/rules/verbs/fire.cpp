/// fire TIMER [serial=N]: the timer of an election fires as it was armed last, or as it was armed with that serial.
#include "protocol/rules/describe.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/election_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto& on = w.as<election_machine>("fire");
  election_event::fired e;
  parse(said.next("a timer"), e.timer);
  const auto armed = on.armed.find(e.timer);
  if (armed != on.armed.end()) e.serial = armed->second;
  if (auto v = said.option("serial"))
    parse(*v, e.serial);
  else if (armed == on.armed.end())
    throw mistake("this timer was never armed");
  std::string out;
  on.put(e, out);
  return out;
}

extern const verb fire_verb{"fire", "fire TIMER [serial=N]", run};

}  // namespace floe::rule_script
