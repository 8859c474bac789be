/// Whom a request is sent on to after its record has been given away. The queue itself: record-queue-*.txt.
#include "protocol/rules/record_queue.hpp"

#include <doctest/doctest.h>

using namespace floe;

TEST_CASE("record queue: what waits behind a record that is given away is sent after it") {
  constexpr pnn other{1}, third{2};
  const record_header given{.rsn = rsn{3}, .dmaster = third};
  CHECK(sent_on_to(other, pnn::unknown, given, pnn{3}) == other);
  CHECK(sent_on_to(other, third, given, pnn{3}) == third);
  CHECK(sent_on_to(other, third, given, third) ==
        other);  // its own, an older one: it would meet itself
  CHECK(sent_on_to(other, pnn{4}, given, pnn{3}) == other);  // it has moved on
}
