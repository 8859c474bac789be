/// Failing drills made smaller: where the least that fails is known, it is found.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/drill/run/play.hpp"
#include "cli/drill/shrink/reduce.hpp"
#include "cli/drill/shrink/shrink_drill.hpp"

using namespace floe::cli::drill;

namespace {

script script_of(std::string_view text) {
  auto s = read_script("x.drill", text);
  REQUIRE_MESSAGE(s.has_value(), (s ? "" : s.error()));
  return std::move(*s);
}

script_lines plain(const std::vector<std::string>& texts) {
  script_lines all;
  for (const auto& t : texts) all.push_back({.text = t});
  return all;
}

/// Fails as long as all of these lines are in it, in this order, at whatever depth.
try_candidates needs(std::vector<std::string> wanted, std::size_t* asked = nullptr) {
  return [wanted = std::move(wanted),
          asked](const std::vector<script_lines>& candidates) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (asked) ++*asked;
      const auto text = text_of(candidates[i]);
      std::size_t at = 0;
      const bool all = std::ranges::all_of(wanted, [&](const auto& w) {
        at = text.find(w + "\n", at);
        return at != std::string::npos;
      });
      if (all) return i;
    }
    return std::nullopt;
  };
}

}  // namespace

TEST_CASE("what is needed stays, in its order, and nothing else") {
  std::vector<std::string> all;
  for (int i = 0; i < 64; ++i) all.push_back("line" + std::to_string(i));
  std::size_t asked = 0;
  const auto least = reduce(plain(all), needs({"line3", "line17", "line60"}, &asked));
  CHECK(text_of(least) == "line3\nline17\nline60\n");
  CHECK(asked < 200);
}

TEST_CASE("what only makes sense together goes together") {
  const auto lines = plain({"attach a.tdb", "client c on 0", "kill 1", "c read a.tdb k", "start 1",
                            "c dies", "expect x"});
  // clients must be introduced, and a node that was killed must be started; else it is another
  // failure
  const try_candidates valid =
      [](const std::vector<script_lines>& candidates) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const auto t = text_of(candidates[i]);
      const auto has = [&](const char* w) { return t.find(w) != std::string::npos; };
      const bool speaks = has("c read") || has("c dies");
      if (has("expect x") && has("client c") == speaks && has("kill 1") == has("start 1") &&
          has("c read") == has("c dies"))
        return i;
    }
    return std::nullopt;
  };
  CHECK(text_of(reduce(lines, valid)) == "expect x\n");
}

TEST_CASE("blocks: one choice, fewer turns, fewer lines") {
  const auto s = script_of(
      "attach a.tdb\nrepeat 8\n  one of\n    kill 1\n    wait 1s\n    start 1\n  or\n    recover\n "
      " end\nend\nwait 2s\n");
  CHECK(text_of(reduce(lines_of(s.body), needs({"recover"}))) == "recover\n");
  CHECK(text_of(reduce(lines_of(s.body), needs({"repeat 2", "  recover", "wait 2s"}))) ==
        "repeat 2\n  recover\nend\nwait 2s\n");
  CHECK(text_of(lines_of(s.body)) ==
        "attach a.tdb\nrepeat 8\n  one of\n    kill 1\n    wait 1s\n    start 1\n  or\n    "
        "recover\n  end\nend\nwait 2s\n");
}

TEST_CASE("the seed in a cluster line") {
  CHECK(cluster_with_seed("", 7) == "cluster seed=7");
  CHECK(cluster_with_seed("cluster nodes=4", 7) == "cluster nodes=4 seed=7");
  CHECK(cluster_with_seed("cluster seed=12 nodes=4", 7) == "cluster seed=7 nodes=4");
}

TEST_CASE("what was played: one choice of each block, every turn, nodes as they were") {
  const auto s = script_of(
      "attach a.tdb\nrepeat 2\n  one of\n    kill any\n  or\n    recover\n  end\nend\nlet x be "
      "leader\npause x\n");
  const std::vector<std::string> trace{"1.000000 drill: 1: attach a.tdb",
                                       "1.000000 drill: 2: repeat 2",
                                       "1.000000 drill: 3: one of",
                                       "1.000000 drill: 6: recover",
                                       "1.000000 drill: 3: one of",
                                       "1.000000 drill: 4: kill any",
                                       "1.000000 drill: node 2 is killed",
                                       "1.000000 node 0 INFO: leader 0->1",
                                       "2.000000 drill: 9: let x be leader",
                                       "2.000000 drill: 10: pause x",
                                       "2.000000 drill: node 0 is paused",
                                       "3.000000 drill: the faults are over, everybody comes back",
                                       "3.000000 drill: 1: attach b.tdb"};
  CHECK(text_of(played_lines(s, trace)) ==
        "attach a.tdb\nrecover\nkill any\nlet x be leader\npause x\n");
  CHECK(text_of(played_on_nodes(s, trace)) ==
        "attach a.tdb\nrecover\nkill 2\nlet x be leader\npause 0\n");
}

// Some hundred runs, each fifty times slower under AddressSanitizer: the optimised build plays
// them.
#ifndef FLOE_SANITIZED
TEST_CASE(
    "a drill that fails, made smaller: its fault and its expectation are left, and it fails with "
    "its seed") {
  const auto s = script_of(
      "# A story.\ncluster nodes=3\nattach a.tdb b.tdb\nworkload db=a.tdb clients=2\nclient smbd "
      "on 0\nsmbd write a.tdb k v\nrepeat 3\n"
      "  one of\n    pause 0\n    wait 20ms\n    resume 0\n  or\n    wait 100ms\n  "
      "end\nend\nwithin 5s: normal\nisolate 1\nwait 50ms\nheal\n"
      "within 5s: normal\nlet victim be follower\nkill victim\nwait 300ms\nexpect active\n");
  const shrink_options o{.seed = 4, .jobs = 2};
  std::size_t told = 0;
  const auto small = shrink(s, o, [&](std::size_t lines, std::size_t runs) {
    CHECK(lines <= 22);
    told = runs;
  });
  REQUIRE_MESSAGE(small.has_value(), (small ? std::string() : small.error().why));
  CHECK(small->failed_at == "expect active");
  CHECK(small->lines_after == 1);  // there is no fault in it that makes the cluster ACTIVE for long
  CHECK(told == small->runs);
  const auto again = script_of(small->text);
  const auto v = play(again, again.seed);
  CHECK(!v.held);
  CHECK(v.failed_at == "expect active");
  // each names the line of its own text
  CHECK_MESSAGE(small->reason.find(":5: expect active: ") != std::string::npos, small->reason);
  CHECK_MESSAGE(small->reason_before.find(":24: expect active: ") != std::string::npos,
                small->reason_before);
  CHECK(small->text.find("\nexpect active\n") != std::string::npos);
  CHECK(shrink(s, o, [](std::size_t, std::size_t) {})->text == small->text);
  CHECK(!shrink(script_of("attach a.tdb\nwait 1ms\n"), o, [](std::size_t, std::size_t) {}));
}
#endif
