/// A database that its own node has frozen, and which thaw opens one.
#include "protocol/rules/own_freeze.hpp"

#include <doctest/doctest.h>

using namespace floe;

TEST_CASE("own freeze: muted until a recovery counts the node, over with the commit of one") {
  using enum own_freeze;
  using e = own_freeze_event;
  CHECK(step(none, e::cut_off) == muted);
  CHECK(step(none, e::counted) == none);
  CHECK(step(none, e::committed) == none);
  CHECK(step(muted, e::counted) == counted);
  CHECK(step(counted, e::cut_off) == muted);  // that recovery may not have come to its end
  for (const auto before : {none, muted, counted, voided}) {
    CHECK(step(before, e::left_out) == voided);
    CHECK(step(before, e::committed) == none);
  }
  CHECK(step(voided, e::counted) ==
        voided);  // of the next recovery, whose leader does not know why
  CHECK(step(voided, e::cut_off) == voided);
}

TEST_CASE(
    "a thaw is of the recovery whose content and map the node has, and of none that is overtaken") {
  constexpr generation g1{0x80002000}, g2{0x80004000};
  CHECK(may_thaw(g1, g1, g1, false));
  CHECK_FALSE(may_thaw(g1, g1, g2, false));  // another map has been set
  CHECK_FALSE(may_thaw(g1, g2, g2, false));  // another content committed
  CHECK_FALSE(may_thaw(g1, g1, g1, true));   // the next recovery puts it together already
  CHECK_FALSE(may_thaw(g2, g1, g2, false));  // its own commit was refused here
}
