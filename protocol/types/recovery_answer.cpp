#include "protocol/types/recovery_answer.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<recovery_answer>) {
  return wire::record("recovery_answer", wire::field("differed", &recovery_answer::differed),
                      wire::sized("whatlen", "what", &recovery_answer::what));
}

template struct wire::codec<recovery_answer>;

}  // namespace floe
