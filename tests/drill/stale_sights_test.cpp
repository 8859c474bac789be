/// What is seen of a record, against all that can have been written before, one candidate after the other: the checker
/// looks at the last one only, and must find the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "cli/drill/checker/register_history.hpp"

using namespace floe::cli::drill;

namespace {

/// A write was over when somebody first saw what it left, if not before.
time_us over(const history& h, const operation& w) {
  time_us first = w.result == op_end::done ? w.end : never;
  for (const auto& o : h.ops)
    if ((o.kind == op_kind::lock || o.kind == op_kind::read) && !w.value.empty() &&
        o.value == w.value)
      first = std::min(first, o.end);
  return first;
}

/// The fewest writes that were over before the sight and must have come after what it saw; nothing if nobody can have
/// written that.
std::optional<std::size_t> fewest_missing(const history& h, const operation& sight) {
  std::optional<std::size_t> best;
  const auto consider = [&](time_us written) {
    std::size_t missing = 0;
    for (const auto& w : h.ops) {
      if (w.kind != op_kind::store && w.kind != op_kind::erase) continue;
      if (w.result == op_end::refused || over(h, w) >= sight.begin || over(h, w) <= written)
        continue;
      const bool knew = !sight.value.empty() && w.under < h.ops.size() &&
                        h.ops[w.under].value == sight.value && w.value != sight.value;
      missing += w.begin > written || knew;
    }
    if (!best || missing < *best) best = missing;
  };
  if (sight.value.empty()) consider(-1);
  for (const auto& w : h.ops) {
    const bool writes = w.kind == op_kind::store || w.kind == op_kind::erase;
    if (writes && w.result != op_end::refused && w.value == sight.value && w.begin <= sight.end)
      consider(over(h, w));
  }
  return best;
}

/// Clients that lock, write, delete and read, and are told what was so some time ago.
history random_history(std::uint64_t seed) {
  std::mt19937_64 chance(seed);
  const auto below = [&](std::uint64_t n) { return static_cast<time_us>(chance() % n); };
  history h;
  std::vector<std::string> written{""};
  time_us now = 0;
  for (int i = 0; i < 60; ++i) {
    now += below(10);
    const auto begin = now, end = now + below(30);
    operation o{.client = "c", .db = "a.tdb", .key = "k", .begin = begin, .end = end};
    o.under = static_cast<std::size_t>(-1);
    switch (below(5)) {
      case 0:
      case 1:
        o.kind = below(3) == 0 ? op_kind::erase : op_kind::store;
        o.result = below(5) == 0 ? op_end::unknown : below(9) == 0 ? op_end::refused : op_end::done;
        if (o.kind == op_kind::store) o.value = "v" + std::to_string(i);
        if (!h.ops.empty() && below(2) == 0) {
          o.under = static_cast<std::size_t>(below(h.ops.size()));
          if (h.ops[o.under].kind != op_kind::lock) o.under = static_cast<std::size_t>(-1);
        }
        written.push_back(o.value);
        break;
      default:
        o.kind = below(2) == 0 ? op_kind::lock : op_kind::read;
        o.result = op_end::done;
        o.value =
            written[written.size() - 1 -
                    static_cast<std::size_t>(below(std::min<std::size_t>(written.size(), 4)))];
        break;
    }
    h.begin(std::move(o));
  }
  return h;
}

}  // namespace

TEST_CASE("stale sights are those that no candidate explains, with the writes that are missing") {
  std::size_t stale = 0, unknown = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    auto h = random_history(seed);
    h.ops.back().value = seed % 7 == 0 ? "nobody's" : h.ops.back().value;
    const auto records = by_record(h);
    REQUIRE(records.size() == 1);
    const auto& r = records.begin()->second;
    std::map<std::size_t, stale_sight> found;
    for (auto& s : stale_sights(h, r)) found[s.sight] = s;
    for (const auto s : r.sights) {
      const auto fewest = fewest_missing(h, h.ops[s]);
      const auto told = found.find(s);
      CHECK((told != found.end()) == (!fewest || *fewest > 0));
      if (told == found.end()) continue;
      CHECK(told->second.unknown_value == !fewest);
      CHECK(told->second.missing.size() == fewest.value_or(0));
      stale += told->second.missing.size();
      unknown += told->second.unknown_value;
    }
  }
  CHECK(stale > 100);
  CHECK(unknown > 10);
}
