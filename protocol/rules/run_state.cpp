#include "protocol/rules/run_state.hpp"

namespace floe {

runstate_step enter(runstate now, runstate wanted) {
  if (wanted == now) return runstate_step::stays;
  return wanted > now ? runstate_step::enters : runstate_step::backwards;
}

}  // namespace floe
