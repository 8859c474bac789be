/// How a node leaves a cluster in good order.
#include "protocol/rules/departure.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>

using namespace floe;
using namespace std::chrono_literals;
using ev = departure_event;

namespace {

departure_step after(std::initializer_list<ev> events) {
  departure_step s{departure::stays};
  for (const ev e : events) s = step(s.next, e);
  return s;
}

}  // namespace

TEST_CASE("a recovery whose map is without the node hands over what it has") {
  CHECK(after({ev::leave}) == departure_step{.next = departure::asked, .ask = true});
  CHECK(after({ev::leave, ev::map_without}) == departure_step{departure::without});
  CHECK(after({ev::leave, ev::map_without, ev::recovered}) ==
        departure_step{.next = departure::left, .handed_over = true});
}

TEST_CASE("a recovery that had begun before is followed by another one") {
  CHECK(after({ev::leave, ev::recovered}) == departure_step{.next = departure::asked, .ask = true});
  CHECK(after({ev::leave, ev::map_with, ev::recovered, ev::map_without, ev::recovered}) ==
        departure_step{.next = departure::left, .handed_over = true});
  // a leader that is outdated has set its map after the one that counts
  CHECK(after({ev::leave, ev::map_without, ev::map_with, ev::recovered}) ==
        departure_step{.next = departure::asked, .ask = true});
}

TEST_CASE("who waits in vain leaves all the same, and has handed over nothing") {
  CHECK(after({ev::leave, ev::patience_ended}) == departure_step{departure::left});
  CHECK(after({ev::leave, ev::map_without, ev::patience_ended}) == departure_step{departure::left});
  CHECK(after({ev::leave, ev::map_without, ev::inactive}) == departure_step{departure::left});
  CHECK(after({ev::alone}) == departure_step{departure::left});
  CHECK(after({ev::alone, ev::map_without, ev::recovered}) == departure_step{departure::left});
  // all leave at once: the leader's recovery is without the others, and then nobody is there for it
  CHECK(after({ev::leave, ev::map_with, ev::alone}) == departure_step{departure::left});
  // or it is gone before it has ended that recovery
  CHECK(after({ev::leave, ev::map_without, ev::alone}) == departure_step{departure::left});
}

TEST_CASE("who leaves waits for those that are about to join") {
  CHECK(after({ev::others_come}) == departure_step{departure::waits});
  CHECK(after({ev::others_come, ev::leave}) ==
        departure_step{.next = departure::asked, .ask = true});
  // who was there is lost meanwhile
  CHECK(after({ev::leave, ev::others_come}) == departure_step{departure::waits});
  CHECK(after({ev::leave, ev::map_without, ev::others_come}) == departure_step{departure::without});
  for (const ev e : {ev::map_with, ev::recovered, ev::others_come})
    CHECK(after({ev::others_come, e}) == departure_step{departure::waits});
  for (const ev e : {ev::alone, ev::patience_ended, ev::inactive})
    CHECK(after({ev::others_come, e}) == departure_step{departure::left});
  CHECK(patience_of(departure::waits, 30s) == patience_of(departure::without, 30s));
}

TEST_CASE("who stays is not concerned by recoveries") {
  for (const ev e :
       {ev::map_with, ev::map_without, ev::recovered, ev::patience_ended, ev::inactive})
    CHECK(step(departure::stays, e) == departure_step{departure::stays});
}

TEST_CASE("a recovery that runs is given more time than one that has not begun") {
  CHECK(patience_of(departure::asked, 30s) < patience_of(departure::without, 30s));
  CHECK(patience_of(departure::without, 30s) == 15s);
  CHECK(patience_of(departure::without, 2s) == patience_of(departure::asked, 2s));
}

TEST_CASE("who cannot store waits for those who can do without") {
  CHECK(patience_without_store(true) >
        patience_of(departure::asked, 30s) + patience_of(departure::without, 30s));
  CHECK(patience_without_store(false) == 5s);
}
