/// state: where the machine stands.
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>&) {
  if (!w.current) throw mistake("state: no machine was made yet");
  return w.current->state();
}

extern const verb state_verb{"state", "state", run};

}  // namespace floe::rule_script
