#include "cli/diagnosis.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "cli/versions.hpp"
#include "protocol/hash.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

/// A report with these troubles.
std::string report(const std::string& troubles, const std::string& databases = "") {
  return R"({"node":0,"troubles":[)" + troubles + R"(],"databases":[)" + databases + "]}";
}

std::string says(const std::string& sentence) { return R"(,"says":")" + sentence + "\""; }

std::string trouble(const std::string& kind, int node, const std::string& text, int age_ms,
                    const std::string& more = "") {
  return R"({"kind":")" + kind + R"(","text":")" + text + R"(","next":"","node":)" +
         std::to_string(node) + R"(,"age_ms":)" + std::to_string(age_ms) + R"(,"ill":true)" + more +
         "}";
}

std::string database(const std::string& name, const std::string& holders,
                     const std::string& waiters) {
  return R"({"name":")" + name + R"(","state":"thawed","state_age_ms":1,"holders":[)" + holders +
         R"(],"waiters":[)" + waiters + "]}";
}

std::string report_of(int node, const std::string& databases) {
  return R"({"node":)" + std::to_string(node) + R"(,"troubles":[],"databases":[)" + databases +
         "]}";
}

// key "k1", in hex
std::string holder(int pid, int age_ms) {
  return R"({"key":"6b31","client":7,"pid":)" + std::to_string(pid) +
         R"(,"name":"smbd","age_ms":)" + std::to_string(age_ms) + "}";
}
std::string waiter(int client, int node, int age_ms) {
  return R"({"key":"6b31","client":)" + std::to_string(client) +
         R"(,"pid":99,"name":"other","node":)" + std::to_string(node) + R"(,"age_ms":)" +
         std::to_string(age_ms) + R"(,"why":"migrating-from-node-1"})";
}

}  // namespace

TEST_CASE("what may only follow from something else stands behind its cause, whoever tells of it") {
  const node_reports reports{
      {pnn{0},
       report(trouble("starting", 0, "node 0 is FIRST_RECOVERY", 100, R"(,"follows":true)"))},
      {pnn{1}, report(trouble("ended", 2, "node 2 has no process any more", 50))}};
  const auto all = troubles_in(reports, pnn{0});
  REQUIRE(all.size() == 2);
  CHECK(all[0].kind == "ended");
  CHECK(all[1].kind == "starting");
}

TEST_CASE("which program each node runs") {
  const auto text = [](const node_reports& reports, std::size_t nodes) {
    return versions_text(versions_in(reports), nodes);
  };
  const std::string now = R"({"version":"0.2.0"})";
  CHECK(text({}, 3).empty());
  CHECK(text({{pnn{0}, now}, {pnn{1}, now}, {pnn{2}, "nonsense"}}, 2) == "all run floe 0.2.0");
  CHECK(text({{pnn{0}, now}, {pnn{1}, now}}, 3) == "node 0, 1: floe 0.2.0");
  CHECK(text({{pnn{0}, now}, {pnn{1}, "{}"}, {pnn{3}, "{}"}}, 3) ==
        "node 1, 3: floe 0.1.0 or older; node 0: floe 0.2.0");
}

TEST_CASE("why a node is not there is told by who knows most") {
  const auto why = [](int by, const std::string& kind) {
    return std::pair{pnn{static_cast<std::uint32_t>(by)},
                     report(trouble(kind, 3, "node 3 " + kind, 10))};
  };
  // who has started since has never seen it
  CHECK(troubles_in({why(0, "never-seen"), why(1, "ended")}, pnn{0})[0].kind == "ended");
  CHECK(troubles_in({why(0, "never-seen"), why(1, "ended"), why(2, "shut-down")}, pnn{0})[0].kind ==
        "shut-down");
  CHECK(troubles_in({why(0, "shut-down"), why(1, "ended")}, pnn{0})[0].kind == "shut-down");
  CHECK(troubles_in({why(0, "silent"), why(1, "kept-out")}, pnn{0})[0].kind == "silent");
}

TEST_CASE("one cause that several nodes tell of is one sentence, with its greatest age") {
  node_reports reports;
  for (int n = 0; n < 3; ++n)
    reports[pnn{static_cast<std::uint32_t>(n)}] =
        report(trouble("cluster-lock", n, "node " + std::to_string(n) + " cannot use it", 100 * n,
                       says("cannot use it")));
  auto all = in_fewer_words(troubles_in(reports, pnn{1}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].text == "nodes 1, 0, 2 cannot use it");
  CHECK(all[0].age_ms == 200);
  // another cause is another sentence
  reports[pnn{2}] =
      report(trouble("cluster-lock", 2, "node 2 has no rights", 5, says("has no rights")));
  CHECK(in_fewer_words(troubles_in(reports, pnn{0})).size() == 2);
}

TEST_CASE("databases that one storage refuses are one sentence") {
  const auto full = [](const std::string& db) {
    return trouble("storage", 2, db + ": the storage of node 2 refuses: full", 10,
                   says("the storage of node 2 refuses: full") + R"(,"db":")" + db + "\"");
  };
  const auto all =
      in_fewer_words(troubles_in({{pnn{2}, report(full("a.tdb") + "," + full("b.tdb"))}}, pnn{2}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].text == "a.tdb, b.tdb: the storage of node 2 refuses: full");
}

TEST_CASE("a lock for which others have waited is told with its holder and their number") {
  const node_reports reports{
      {pnn{1}, report_of(1, database("A.tdb", holder(4711, 60'000), waiter(0, 2, 8000)))},
      {pnn{2}, report_of(2, database("A.tdb", "", waiter(3, 2, 8000)))}};
  const auto all = lock_troubles(reports, pnn{0});
  REQUIRE(all.size() == 1);
  CHECK(all[0].kind == "lock-held");
  CHECK(all[0].ill);
  CHECK(
      with_age(all[0]) ==
      "A.tdb: a client has waited 8.0 s for the lock of k1; smbd (pid 4711, node 1) holds it, for "
      "60.0 s");
  CHECK(all[0].next.find("kill 4711 on node 1") != std::string::npos);
  CHECK(who_has(reports, db_id_of("A.tdb"), "k1") == "held by smbd (pid 4711, node 1) for 60.0 s");
  CHECK(who_has(reports, db_id_of("A.tdb"), "k2").empty());
  CHECK(who_has(reports, db_id_of("B.tdb"), "k1").empty());
}

TEST_CASE(
    "short waits are no trouble; a lock that nobody wants is told when it is old, and is none") {
  const auto only = [](const std::string& held, const std::string& waits) {
    return lock_troubles({{pnn{1}, report_of(1, database("A.tdb", held, waits))}}, pnn{1});
  };
  CHECK(only(holder(1, 60'000), waiter(3, 1, 900)).empty());
  CHECK(only(holder(1, 20'000), "").empty());
  const auto old = only(holder(1, 40'000), "");
  REQUIRE(old.size() == 1);
  CHECK_FALSE(old[0].ill);
}

TEST_CASE("clients that wait for each other are one trouble, with who is to be ended") {
  const auto held = [](const char* key, int client) {
    return fmt::format(R"({{"key":"{}","client":{},"pid":{},"name":"smbd","age_ms":9000}})", key,
                       client, client * 100);
  };
  const auto waits = [](const char* key, int client, int node) {
    return fmt::format(
        R"({{"key":"{}","client":{},"pid":{},"name":"smbd","node":{},"age_ms":8000,"why":"queued"}})",
        key, client, client * 100, node);
  };
  // 1 on node 0 holds "a" and wants "b"; 2 on node 1 holds "b" and wants "a"; 3 on node 1 wants "a", too
  node_reports reports{
      {pnn{0}, report_of(0, database("A.tdb", held("61", 1), "") + "," +
                                database("B.tdb", "", waits("62", 1, 0)))},
      {pnn{1}, report_of(1, database("A.tdb", "", waits("61", 2, 1) + "," + waits("61", 3, 1)) +
                                "," + database("B.tdb", held("62", 2), ""))}};
  const auto all = lock_troubles(reports, pnn{0});
  REQUIRE(all.size() == 1);
  CHECK(all[0].kind == "deadlock");
  CHECK(all[0].ill);
  CHECK(all[0].text ==
        "clients wait for each other: smbd (pid 100, node 0) waits for \"b\" of B.tdb, held by "
        "smbd (pid 200, node 1); smbd (pid 200, node 1) waits for \"a\" of A.tdb, held by smbd "
        "(pid 100, node 0)");
  CHECK(all[0].next == "one of them has to be ended: kill 100 on node 0, or kill 200 on node 1");
  // one of them has gone: no circle, and what is left is told as what it is
  reports[pnn{1}] = report_of(1, database("A.tdb", "", waits("61", 3, 1)));
  const auto left = lock_troubles(reports, pnn{0});
  REQUIRE(left.size() == 1);
  CHECK(left[0].kind == "lock-held");
}
