/// What a simulation watches at every moment, on events made by hand: what must clash, and what must not.
#include "actors/sim/invariants.hpp"

#include <doctest/doctest.h>

#include <array>

#include "protocol/rules/lineage.hpp"

using namespace floe;

namespace {

constexpr generation g1{0x80001000}, g2{0x80002000};

struct watched {
  std::unique_ptr<event_loop> loop = event_loop::simulated(1);
  std::vector<std::string> clashes;
  invariants seen{*loop, [this](const std::string& line) { clashes.push_back(line); }};
  static constexpr db_id db{7};

  watched() {
    for (std::uint32_t n = 0; n < 3; ++n) seen.opened(at(n, g1), "a.tdb");
  }
  static database_moment at(std::uint32_t n, generation content, generation map) {
    return {pnn{n}, db, content, map};
  }
  static database_moment at(std::uint32_t n, generation g) { return at(n, g, g); }
  static record_header owned(std::uint32_t by, std::uint64_t r) {
    return {.rsn = rsn{r}, .dmaster = pnn{by}};
  }

  void recover(std::initializer_list<std::uint32_t> counted,
               std::initializer_list<std::uint32_t> nodes, generation from, generation to,
               std::uint64_t seqnum = 0) {
    std::vector<pnn> those;
    for (auto n : counted) those.push_back(pnn{n});
    seen.recovers(db, to, those);
    for (auto n : nodes) seen.began(at(n, from), to);
    for (auto n : nodes) seen.committed(at(n, from, to), to, seqnum);
  }
  bool told(std::string_view rule) const {
    return clashes.size() == 1 && clashes[0].starts_with(rule);
  }
};

}  // namespace

TEST_CASE("a record that moves has one owner; one that two nodes have clashes") {
  watched w;
  w.seen.kept(w.at(0, g1), "k", w.owned(0, 1));
  w.seen.kept(w.at(0, g1), "k", w.owned(1, 2));
  w.seen.kept(w.at(1, g1), "k", w.owned(1, 3));
  CHECK(w.clashes.empty());
  w.seen.kept(w.at(0, g1), "k", w.owned(0, 4));
  CHECK(w.told("one owner: a.tdb key=6b: node 1 has it"));
}

TEST_CASE("an owner of before a recovery, and one that is gone, are none") {
  watched w;
  w.seen.kept(w.at(0, g1), "k", w.owned(0, 1));
  w.recover({0, 1}, {0, 1}, g1, g2);
  w.seen.kept(w.at(1, g2), "k", w.owned(1, 2));
  w.seen.gone(pnn{1});
  w.seen.kept(w.at(0, g2), "k", w.owned(0, 2));
  CHECK(w.clashes.empty());
}

TEST_CASE("two contents under one map clash") {
  watched w;
  w.recover({0, 1}, {0, 1}, g1, g2);
  constexpr generation g3{0x80003000};
  w.seen.granted(w.at(0, g2, g3), "k", w.owned(0, 5));
  w.seen.released(w.at(0, g2, g3), "k");
  CHECK(w.clashes.empty());
  w.seen.granted(w.at(2, g1, g3), "k", w.owned(2, 4));
  CHECK(w.told("one owner"));
}

TEST_CASE(
    "a record that is held is granted nowhere else, nor after a recovery in which its holder took "
    "part") {
  watched w;
  w.seen.granted(w.at(0, g1), "k", w.owned(0, 1));
  SUBCASE("held") {
    w.recover({0, 1}, {0, 1}, g1, g2);
    w.seen.granted(w.at(1, g2), "k", w.owned(1, 1));
    CHECK(w.told("one holder"));
  }
  SUBCASE("released") {
    w.seen.released(w.at(0, g1), "k");
    w.recover({0, 1}, {0, 1}, g1, g2);
    w.seen.granted(w.at(1, g2), "k", w.owned(1, 1));
    CHECK(w.clashes.empty());
  }
}

TEST_CASE("a node that was left out and does not know it may hold what another was granted") {
  watched w;
  w.seen.granted(w.at(2, g1), "k", w.owned(2, 1));
  w.recover({0, 1}, {0, 1}, g1, g2);
  w.seen.granted(w.at(1, g2), "k", w.owned(1, 1));
  CHECK(w.clashes.empty());
}

TEST_CASE("nor is it a clash if it grants after that what the others hold") {
  watched w;
  w.recover({0, 1, 2}, {0, 1, 2}, g1, g2);
  constexpr generation g3{0x80003000};
  w.recover({0, 1}, {0, 1}, g2, g3);
  w.seen.granted(w.at(1, g3), "k", w.owned(1, 3));
  w.seen.granted(w.at(2, g2), "k", w.owned(2, 2));
  CHECK(w.clashes.empty());
}

TEST_CASE("nothing is acknowledged while a recovery puts contents together") {
  watched w;
  w.seen.began(w.at(0, g1), g2);
  w.seen.acknowledged(w.at(0, g1), "k", w.owned(0, 2), false);
  CHECK(w.told("in the open"));
}

TEST_CASE("nor after that, if another node commits what came of it") {
  watched w;
  w.seen.recovers(w.db, g2, std::array{pnn{0}, pnn{1}});
  for (std::uint32_t n : {0U, 1U}) w.seen.began(w.at(n, g1), g2);
  w.seen.gave_up(w.at(0, g1));
  SUBCASE("before") {
    w.seen.acknowledged(w.at(0, g1), "k", w.owned(0, 2), false);
    CHECK(w.clashes.empty());
    w.seen.committed(w.at(1, g1), g2, 0);
  }
  SUBCASE("after") {
    w.seen.committed(w.at(1, g1), g2, 0);
    w.seen.acknowledged(w.at(0, g1), "k", w.owned(0, 2), false);
  }
  CHECK(w.told("in the open"));
}

TEST_CASE("what is granted is as new as the last write that was acknowledged") {
  watched w;
  w.seen.kept(w.at(0, g1), "k", w.owned(0, 5));
  w.seen.acknowledged(w.at(0, g1), "k", w.owned(0, 5), false);
  SUBCASE("in the same generation") {
    w.seen.kept(w.at(0, g1), "k", w.owned(1, 5));
    w.seen.granted(w.at(1, g1), "k", w.owned(1, 4));
    CHECK(w.told("highest rsn"));
  }
  SUBCASE("in the next one, if its copy counted") {
    w.recover({0, 1}, {0, 1}, g1, g2);
    w.seen.granted(w.at(1, g2), "k", w.owned(1, 4));
    CHECK(w.told("highest rsn"));
  }
  SUBCASE("not if it did not count") {
    w.recover({1}, {0, 1}, g1, g2);
    w.seen.granted(w.at(1, g2), "k", w.owned(1, 4));
    CHECK(w.clashes.empty());
  }
  SUBCASE("not after an operator has replaced the content") {
    w.recover({0, 1}, {0, 1}, g1, g2);
    for (std::uint32_t n : {0U, 1U}) w.seen.began(w.at(n, g2), g2);
    for (std::uint32_t n : {0U, 1U}) w.seen.committed(w.at(n, g2), g2, 0);
    w.seen.granted(w.at(1, g2), "k", w.owned(1, 0));
    CHECK(w.clashes.empty());
  }
  SUBCASE("not after a deletion that was forgotten") {
    w.seen.acknowledged(w.at(0, g1), "k", w.owned(0, 6), true);
    w.seen.dropped(w.at(1, g1), "k");
    w.seen.granted(w.at(0, g1), "k", w.owned(0, 0));
    CHECK(w.clashes.empty());
  }
}

TEST_CASE("who acknowledges in a content that most have replaced is left behind") {
  watched w;
  w.recover({0, 1, 2}, {0, 1, 2}, g1, g2);
  w.seen.kept(w.at(2, g2), "k", w.owned(2, 5));
  w.seen.acknowledged(w.at(2, g2), "k", w.owned(2, 5), false);
  for (std::uint32_t n : {0U, 1U}) w.seen.began(w.at(n, g2), g2);
  w.seen.committed(w.at(0, g2), replaced_under(g2), 0);
  w.seen.acknowledged(w.at(2, g2), "k", w.owned(2, 6), false);
  CHECK(w.clashes.empty());
  w.seen.committed(w.at(1, g2), replaced_under(g2), 0);
  constexpr generation g3{0x80003000};
  SUBCASE("it is") {
    w.seen.acknowledged(w.at(2, g2), "k", w.owned(2, 7), false);
    CHECK(w.told("left behind"));
  }
  SUBCASE("what was acknowledged before is not expected") {
    w.recover({0, 1}, {0, 1, 2}, replaced_under(g2), g3);
    w.seen.granted(w.at(1, g3), "k", w.owned(1, 0));
    CHECK(w.clashes.empty());
  }
}

TEST_CASE("who acknowledges in it while a recovery of its own part begins must count there") {
  watched w;
  constexpr generation of_most{0x80003004}, of_few{0x80003001};
  w.recover({0, 1, 2}, {0, 1, 2}, g1, g2);
  w.recover({0, 1}, {0, 1}, g2, of_most);
  const auto wrote = [&](generation map) {
    w.seen.acknowledged(w.at(2, g2, map), "k", w.owned(2, 7), false);
  };
  SUBCASE("it does") {
    wrote(of_few);
    w.recover({2}, {2}, g2, of_few);
    CHECK(w.clashes.empty());
  }
  SUBCASE("it does not") {
    wrote(of_few);
    CHECK(w.clashes.empty());
    w.recover({0, 1}, {0, 1, 2}, of_most, generation{0x80004004});
    CHECK(w.told("left behind"));
  }
  SUBCASE("its process ends") {
    wrote(of_few);
    w.seen.gone(pnn{2});
    w.recover({0, 1}, {0, 1, 2}, of_most, generation{0x80004004});
    CHECK(w.clashes.empty());
  }
  SUBCASE("the recovery is that of the others") {
    wrote(of_most);
    CHECK(w.told("left behind"));
  }
}

TEST_CASE("a recovery does not go back before the last transaction that was acknowledged") {
  watched w;
  w.seen.acknowledged_transaction(w.at(0, g1), 9);
  SUBCASE("behind") {
    w.recover({0, 1}, {0, 1}, g1, g2, 8);
    CHECK(w.clashes.size() == 2);
  }
  SUBCASE("equal") {
    w.recover({0, 1}, {0, 1}, g1, g2, 9);
    CHECK(w.clashes.empty());
  }
}
