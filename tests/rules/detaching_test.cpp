/// How a database is detached by all nodes or by none.
#include "protocol/rules/detaching.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace floe;
using ev = detach_event;

namespace {

detach_step after(std::initializer_list<ev> events) {
  auto s = detach_step::ask;
  for (const ev e : events) s = step(s, e);
  return s;
}

}  // namespace

TEST_CASE("all have closed it before the first one drops it") {
  CHECK(after({ev::agreed, ev::agreed}) == detach_step::close);
  CHECK(after({ev::agreed, ev::agreed, ev::agreed}) == detach_step::drop);
  CHECK(after({ev::agreed, ev::agreed, ev::agreed, ev::agreed}) == detach_step::drop_here);
  CHECK(step(detach_step::drop_here, ev::agreed) == detach_step::renew);
  CHECK(step(detach_step::release, ev::agreed) == detach_step::done);
}

TEST_CASE("nobody may make it anew before packets of before have a generation that is over") {
  CHECK(step(detach_step::drop_here, ev::agreed) == detach_step::renew);
  CHECK(step(detach_step::renew, ev::agreed) == detach_step::release);
  // no recovery has come: nobody has the database, and nobody is to wait for ever
  CHECK(step(detach_step::renew, ev::late) == detach_step::release);
}

TEST_CASE("nothing is closed while a recovery goes on somewhere") {
  CHECK(after({ev::agreed}) == detach_step::settle);
  CHECK(after({ev::agreed, ev::busy, ev::busy}) == detach_step::settle);
  CHECK(after({ev::agreed, ev::busy, ev::agreed}) == detach_step::close);
  for (const auto e : {ev::refused, ev::late})
    CHECK(after({ev::agreed, ev::busy, e}) == detach_step::failed);
}

TEST_CASE("before anybody has dropped it one that will not keeps it everywhere") {
  for (const auto e : {ev::refused, ev::busy, ev::late}) CHECK(after({e}) == detach_step::failed);
  CHECK(after({ev::agreed, ev::agreed, ev::busy}) == detach_step::close);
  for (const auto e : {ev::refused, ev::late}) {
    CHECK(after({ev::agreed, ev::agreed, e}) == detach_step::reopen);
    CHECK(step(detach_step::reopen, e) == detach_step::failed);
  }
}

TEST_CASE("whoever was given it by a recovery closes it again, and there is no way back") {
  for (const auto at : {detach_step::drop, detach_step::drop_here}) {
    CHECK(step(at, ev::busy) == detach_step::close);
    CHECK(step(at, ev::refused) == detach_step::close);
    // the word stays with the nodes, which go on by themselves
    CHECK(step(at, ev::late) == detach_step::failed);
  }
}

TEST_CASE("who does not hear that it is over hears no more of it") {
  for (const auto e : {ev::agreed, ev::busy, ev::refused, ev::late}) {
    CHECK(step(detach_step::release, e) == detach_step::done);
    CHECK(step(detach_step::done, e) == detach_step::done);
    CHECK(step(detach_step::failed, e) == detach_step::failed);
  }
}
