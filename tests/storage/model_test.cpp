/// The store against a map: random operations, any length of key, colliding hashes, maps that are
/// too small from the start, both kinds of database.
#include <doctest/doctest.h>

#include <array>

#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

class model_run {
 public:
  model_run(std::uint64_t seed, db_kind kind, long_key_hash hash, const std::filesystem::path& file)
      : random_(seed),
        options_{.kind = kind, .file = file, .create_empty = true, .map_initial = 1, .hash = hash},
        store_(opened(options_)),
        expected_(hash),
        keys_(some_keys(random_, 150)) {}

  void step() {
    switch (below(random_, 100)) {
      case 0: return replace();
      case 1: return bulk();
      case 2: return wipe();
      case 3: return compact();
      case 4: return reopen();
      case 5: return scan_in_slices();
      case 6: return check();
      case 7: return set_meta();
      default: break;
    }
    switch (below(random_, 10)) {
      case 0: return flush();
      case 1: return batch();
      case 2: return erase();
      case 3: return refused_batch();
      case 4:
      case 5: return get();
      default: return put();
    }
  }

  void finish() {
    flush();
    check();
  }

 private:
  const bytes& key() { return keys_[below(random_, keys_.size())]; }
  record random_record(const bytes& k) { return {k, some_header(random_), some_data(random_)}; }

  void check() { REQUIRE(same(store_, expected_)); }
  void put() {
    record r = random_record(key());
    REQUIRE(store_.put(r.key, r.header, r.data).has_value());
    expected_.put(r);
  }
  void erase() {
    const bytes& k = key();
    REQUIRE(store_.erase(k).has_value());
    expected_.records.erase(k);
  }
  void get() {
    const bytes& k = key();
    auto found = store_.get(k);
    REQUIRE(found.has_value());
    auto at = expected_.records.find(k);
    REQUIRE(found->has_value() == (at != expected_.records.end()));
    if (*found) REQUIRE(**found == at->second);
  }
  void batch() {
    std::vector<record> put;
    for (std::uint64_t i = below(random_, 20); i > 0; --i) put.push_back(random_record(key()));
    std::vector<change> changes;
    changes.reserve(put.size() + 1);
    for (const auto& r : put) changes.push_back(change::put(r));
    const bytes& gone = key();
    changes.push_back(change::erase(gone));
    auto how = below(random_, 2) == 0 ? durability::grouped : durability::committed;
    REQUIRE(store_.apply(changes, how).has_value());
    for (const auto& r : put) expected_.put(r);
    expected_.records.erase(gone);
  }
  /// One change of it cannot be stored, so none is.
  void refused_batch() {
    record r = random_record(key());
    bytes name(300, 'n');
    std::array changes{change::put(r), change::set_meta(name, "x")};
    auto done = store_.apply(changes, durability::grouped);
    REQUIRE_FALSE(done.has_value());
    REQUIRE(done.error().code == store_errc::unstorable);
  }
  void flush() {
    REQUIRE(store_.flush().has_value());
    REQUIRE_FALSE(store_.dirty());
  }
  void set_meta() {
    meta_ = some_data(random_);
    REQUIRE(store_.set_meta("floe.test", meta_).has_value());
    REQUIRE(meta_of(store_, "floe.test") == meta_);
  }
  void wipe() {
    REQUIRE(store_.wipe().has_value());
    expected_.records.clear();
    check_meta();
  }
  void compact() {
    REQUIRE(store_.compact().has_value());
    auto stats = store_.stats();
    REQUIRE(stats.has_value());
    REQUIRE(stats->free_pages < 16);
    check_meta();
  }
  /// Closing gives the open group up, and nothing else.
  void reopen() {
    flush();
    content committed = expected_;
    put();
    erase();
    { store closed = std::move(store_); }
    expected_ = committed;
    auto options = options_;
    options.create_empty = false;
    store_ = opened(options);
    REQUIRE(same(store_, expected_));
    check_meta();
  }
  void replace() {
    content to(options_.hash);
    replace_result counted;
    for (const auto& [k, r] : expected_.records) {
      auto what = below(random_, 10);
      if (what == 0) continue;
      to.put(what == 1 ? random_record(k) : r);
    }
    for (std::uint64_t i = below(random_, 30); i > 0; --i) to.put(random_record(key()));
    for (const auto& [k, r] : to.records) {
      auto at = expected_.records.find(k);
      bool kept = at != expected_.records.end() && at->second == r;
      ++(kept ? counted.unchanged : counted.written);
    }
    for (const auto& [k, r] : expected_.records) counted.erased += to.records.count(k) == 0 ? 1 : 0;
    auto views = to.views();
    span_source source(views);
    meta_ = some_data(random_);
    change meta = change::set_meta("floe.test", meta_);
    auto result = store_.replace(source, {&meta, 1});
    REQUIRE(result.has_value());
    REQUIRE(result->written == counted.written);
    REQUIRE(result->unchanged == counted.unchanged);
    REQUIRE(result->erased == counted.erased);
    expected_ = to;
    check_meta();
  }
  void bulk() {
    std::vector<record> records;
    for (std::uint64_t i = below(random_, 60); i > 0; --i) records.push_back(random_record(key()));
    std::vector<record_view> views(records.begin(), records.end());
    REQUIRE(store_.bulk_store(views).has_value());
    for (const auto& r : records) expected_.put(r);
  }
  void scan_in_slices() {
    scan_position at;
    auto expected = expected_.records.begin();
    while (!at.at_end()) {
      auto left = below(random_, 20);
      auto next = store_.scan(at, [&](const record_view& r) {
        if (left-- == 0) return false;
        REQUIRE(expected != expected_.records.end());
        REQUIRE(r == record_view((expected++)->second));
        return true;
      });
      REQUIRE(next.has_value());
      at = *next;
    }
    REQUIRE(expected == expected_.records.end());
    // From after any key, there or not.
    bytes from = some_key(random_);
    auto after = expected_.records.upper_bound(from);
    auto first = store_.scan(scan_position::after(from), [&](const record_view& r) {
      REQUIRE(after != expected_.records.end());
      REQUIRE(r == record_view(after->second));
      return false;
    });
    REQUIRE(first.has_value());
    REQUIRE(first->at_end() == (after == expected_.records.end()));
  }
  void check_meta() { REQUIRE(meta_of(store_, "floe.test") == meta_); }

  random_source random_;
  store_options options_;
  store store_;
  content expected_;
  std::vector<bytes> keys_;
  bytes meta_;
};

void run_model(db_kind kind, long_key_hash hash, int rounds, int steps) {
  for (int round = 0; round < rounds; ++round) {
    temp_dir dir;
    auto seed = static_cast<std::uint64_t>(round) + 1;
    CAPTURE(seed);
    model_run run(seed, kind, hash, dir / "model.ldb");
    for (int i = 0; i < steps; ++i) run.step();
    run.finish();
  }
}

}  // namespace

TEST_CASE("volatile store against a map") {
  run_model(db_kind::volatile_db, hash_long_key, 12, 800);
}
TEST_CASE("volatile store against a map, long keys collide") {
  run_model(db_kind::volatile_db, four_hashes, 8, 800);
  run_model(db_kind::volatile_db, one_hash, 8, 800);
}
TEST_CASE("persistent store against a map") {
  run_model(db_kind::persistent, hash_long_key, 3, 400);
}
TEST_CASE("persistent store against a map, long keys collide") {
  run_model(db_kind::persistent, four_hashes, 3, 400);
}
