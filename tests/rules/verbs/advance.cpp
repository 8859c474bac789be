/// advance TIME: so much later. Machines read the time only with their next event.
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  duration time{};
  parse(said.next("a time"), time);
  w.now += time;
  return {};
}

extern const verb advance_verb{"advance", "advance TIME", run};

}  // namespace floe::rule_script
