#include "protocol/tunable_effects.hpp"

namespace floe {

byte_view why_without_effect(tunable t) {
  if (info_of(t).obsolete) return "it is obsolete in CTDB, too";
  switch (t) {
#define FLOE_NO_EFFECT(field, name, why) \
  case tunable::field:                   \
    return why;
#include "protocol/tunable_effects.def"
#undef FLOE_NO_EFFECT
    default: return {};
  }
}

}  // namespace floe
