/// The past of a persistent content in its file: it goes with the transaction that it belongs to, outlives the process, and is
/// not believed where a program has written the content that knows nothing of it.
#include "actors/database/kept_past.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "actors/database/sequence_number.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/db_past.hpp"
#include "protocol/wire/codec.hpp"

using namespace floe;

namespace {

struct file_of_a_database {
  std::filesystem::path dir;
  file_of_a_database() {
    std::string name = std::filesystem::temp_directory_path() / "floe-past-XXXXXX";
    REQUIRE(mkdtemp(name.data()));
    dir = name;
  }
  ~file_of_a_database() { std::filesystem::remove_all(dir); }
  store open() const {
    auto opened = store::open({.kind = db_kind::persistent, .file = dir / "secrets.tdb.0"});
    REQUIRE(opened);
    return std::move(*opened);
  }
};

/// A transaction, with the past that goes with it or, as of a release before, without.
void store_number(store& s, std::uint64_t number, const content_past* past) {
  const auto data = wire::encode(number);
  const auto kept = past ? past_bytes(*past, number) : bytes();
  std::vector<change> all{change::put(sequence_number_key, {.rsn = rsn{number}}, data)};
  CHECK(sequence_number_in(all, 0) == number);
  if (past) all.push_back(change::set_meta(past_name, kept));
  REQUIRE(s.apply(all, durability::committed));
}

recovery_set one_record(const bytes& key, const bytes& data, rsn n) {
  recovery_set set;
  const auto owner = std::make_shared<const bytes>(key + data);
  const byte_view all = *owner;
  const record_view r{all.substr(0, key.size()), {.rsn = n}, all.substr(key.size())};
  set.add(owner, std::span(&r, 1));
  return set;
}

const content_past known{.written = generation{7}, .from = {generation{8}, generation{7}}};

}  // namespace

TEST_CASE("a past outlives the process, with its content") {
  const file_of_a_database f;
  {
    auto s = f.open();
    CHECK(read_past(s).empty());  // of a release before, or new
    store_number(s, 5, &known);
  }
  auto s = f.open();
  CHECK(sequence_number_of(s) == 5);
  CHECK(read_past(s) == known);
}

TEST_CASE("a content that another program has written since has no past that is known") {
  const file_of_a_database f;
  auto s = f.open();
  store_number(s, 5, &known);
  store_number(s, 6, nullptr);
  CHECK(read_past(s).empty());
  REQUIRE(s.set_meta(past_name, "neither this nor that"));
  CHECK(read_past(s).empty());
}

TEST_CASE("a recovery has written a content where it is another one than before") {
  const file_of_a_database f;
  auto s = f.open();
  const rsn first{1};
  REQUIRE(s.put("key", {.rsn = first, .dmaster = pnn{1}}, "data"));
  REQUIRE(s.flush());
  const generation tid{9};
  const auto after = [&](store& to, const recovery_set& set, bool wiped,
                         const content_past& before) {
    return past_after(to, set, {.wiped = wiped, .gen = tid, .before = before});
  };
  // the same on every node: nothing was pushed, or what is here
  const auto stays = gone_on(known, tid, false);
  CHECK(after(s, {}, false, known).past == stays);
  CHECK(after(s, one_record("key", "data", first), true, known).past == stays);
  const auto written = gone_on(known, tid, true);
  CHECK(after(s, one_record("key", "other", first), true, known).past == written);
  CHECK(after(s, one_record("key", "data", next(first)), true, known).past == written);
  CHECK(after(s, one_record("another", "data", first), true, known).past == written);
  CHECK(after(s, {}, true, known).past == written);
  CHECK(after(s, one_record("another", "data", first), false, known).past == written);
  // and where nobody knows
  CHECK(after(s, {}, false, {}).past.written == tid);
}

TEST_CASE("what the leader tells of a content is its past, whatever was here") {
  const file_of_a_database f;
  auto s = f.open();
  const content_past told{.written = generation{5}, .from = {generation{6}, generation{5}}};
  const generation tid{9};
  const auto p = past_after(s, one_record("key", "data", rsn{1}),
                            {.wiped = true, .gen = tid, .before = known, .told = told});
  CHECK(p.changed);
  CHECK(p.past == gone_on(told, tid, false));
  // a node that leaves with that recovery has no part in its generation
  const auto left =
      past_after(s, one_record("key", "data", rsn{1}),
                 {.wiped = true, .gen = tid, .before = known, .told = told, .leaves = true});
  CHECK(left.changed);
  CHECK(left.past == told);
}

TEST_CASE("a past that is told arrives in a control whose text ends at the first NUL") {
  const db_past past{.written = generation{5}, .from = {generation{6}, generation{0xffffffff}}};
  const auto sent = wire::encode(db_disputed{.db_id = db_id{7}, .detail = to_text(past)});
  const auto come = wire::decode<db_disputed>(sent);
  REQUIRE(come);
  CHECK(told_past(come->detail) == content_past{.written = past.written, .from = past.from});
  for (const char* wrong :
       {"", "no past", "1", "1 ", "1 2 ", "1 2 x", "1 4294967296", "1 -2", "1  2"})
    CHECK_FALSE(told_past(wrong));
  const db_past long_one{.written = generation{5},
                         .from = std::vector(past_limit + 1, generation{5})};
  CHECK_FALSE(told_past(to_text(long_one)));
}

TEST_CASE("what a node had that does not count is not where its content comes from") {
  const auto replaced = past_of_volatile(known, {.gen = generation{9}, .replaced = true});
  CHECK(replaced.written == generation{9});
  CHECK(replaced.from.size() == 3);
  const auto given = past_of_volatile(known, {.gen = generation{9}, .of_others = true});
  CHECK(given == content_past{.from = {generation{9}}});
}
