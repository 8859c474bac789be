/// The language: what is read, and what is said of mistakes.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "cli/drill/language/script.hpp"
#include "cli/drill/language/shipped_drills.hpp"

using namespace floe::cli::drill;

namespace {
std::string error_of(std::string_view text) {
  const auto s = read_script("x.drill", text);
  return s ? "none" : s.error();
}
script must_read(std::string_view text) {
  auto s = read_script("x.drill", text);
  REQUIRE_MESSAGE(s.has_value(), (s ? "" : s.error()));
  return *std::move(s);
}
}  // namespace

TEST_CASE("a drill is read as a whole") {
  const auto s = read_script("x.drill",
                             "# A title.\n# And more.\n\ncluster nodes=5 seed=9 bound=20s "
                             "KeepaliveInterval=1\nattach a.tdb b.tdb\n"
                             "client smbd on 4   # a comment\nrepeat 3\n  smbd write a.tdb 'my "
                             "key' \"my value\"\n  one of\n    kill leader\n"
                             "  or\n    wait 1s\n  end\nend\nwithin 2s: a.tdb thawed on all\n");
  REQUIRE_MESSAGE(s.has_value(), (s ? "" : s.error()));
  CHECK(s->title == "A title.");
  CHECK(s->story == "A title.\nAnd more.\n");
  CHECK(s->nodes == 5);
  CHECK(s->seed == 9);
  CHECK(s->bound == std::chrono::seconds(20));
  REQUIRE(s->tunables.size() == 1);
  CHECK(s->tunables[0].first == "KeepaliveInterval");
  REQUIRE(s->body.size() == 4);
  CHECK(s->body[2].times == 3);
  REQUIRE(s->body[2].blocks.size() == 1);
  REQUIRE(s->body[2].blocks[0].size() == 2);
  CHECK(s->body[2].blocks[0][1].blocks.size() == 2);
  CHECK(s->body[3].line == 15);
}

TEST_CASE("comments right above a line are its heading, those at the head the story") {
  const auto s = must_read(
      "# A story.\n# More.\ncluster freeze=all\n\n# one\n#  and two\nwait 1ms\n# lonely\n\nrepeat "
      "2\n"
      "  # inner\n  wait 2ms\nend\n");
  CHECK(s.story == "A story.\nMore.\n");
  CHECK(s.freeze_all);
  REQUIRE(s.body.size() == 2);
  CHECK(s.body[0].heading == "one and two");
  CHECK(s.body[1].heading.empty());
  CHECK(s.body[1].blocks[0][0].heading == "inner");
}

TEST_CASE("mistakes are told with their line and what was expected") {
  CHECK(error_of("") == "x.drill:1: the drill is empty");
  CHECK(error_of("kil 0\n") == "x.drill:1: no such verb: `kil`; did you mean kill?");
  CHECK(error_of("\nkill 7\n") == "x.drill:2: there is no node 7: the cluster has nodes 0 to 2");
  CHECK(error_of("kill somebody\n").find("expected a node (a number, leader, follower") !=
        std::string::npos);
  CHECK(error_of("wait soon\n") ==
        "x.drill:1: expected a duration such as 500ms or 2s after `wait`, found `soon`");
  CHECK(error_of("wait 1s 2s\n") == "x.drill:1: expected nothing more after `1s`, found `2s`");
  CHECK(error_of("attach locking.tdb\nfill lockin.tdb 3 records\n") ==
        "x.drill:2: no line above attaches a database `lockin.tdb`; did you mean locking.tdb?");
  CHECK(error_of("attach a.tdb\nwithin 1s: a.tdb melted\n") ==
        "x.drill:2: expected thawed, freezing, frozen or in_transaction, or KEY is VALUE, after "
        "`a.tdb`, found `melted`");
  CHECK(error_of("attach a.tdb\nclient smbd on 0\nsmbd lok a.tdb k\n") ==
        "x.drill:3: a client cannot `lok`; did you mean lock?");
  CHECK(error_of("client smbd at 0\n") == "x.drill:1: expected `on` after `smbd`, found `at`");
  CHECK(error_of("repeat 3\nwait 1s\n") == "x.drill:1: `repeat 3` has no `end`");
  CHECK(error_of("wait 1s\nend\n") == "x.drill:2: `end` without a block that it belongs to");
  CHECK(error_of("repeat 2\nor\nend\n") == "x.drill:2: `or` without a block that it belongs to");
  CHECK(error_of("wait 1s\ncluster nodes=3\n") ==
        "x.drill:2: `cluster` comes once, before everything else");
  CHECK(error_of("cluster nods=3\n") ==
        "x.drill:1: expected nodes=, seed=, bound=, lock=, quorum=, freeze= or a tunable, found "
        "`nods=`; did you mean nodes=?");
  CHECK(error_of("cluster RecordTabel=0\n")
            .ends_with("found `RecordTabel=`; did you mean RecordTable=?"));
  CHECK(error_of("attach a.tdb\nworkload db=a.tdb clints=3\n")
            .ends_with("found `clints=`; did you mean clients=?"));
  CHECK(
      error_of("attach a.tdb\nsmbd lock a.tdb k\n") ==
      "x.drill:2: no client `smbd` is there: a line above introduces it, as in `client smbd on 0`");
  CHECK(error_of("attach a.tdb\nhold freze@a.tdb\n") ==
        "x.drill:2: no such phase: freze; did you mean freeze?");
  CHECK(error_of("attach a.tdb\nhold survey@a.tdb\n") ==
        "x.drill:2: survey is no phase of a single database");
  CHECK(error_of("attach a.tdb\nhold freeze@nosuch.tdb\n") ==
        "x.drill:2: no line above attaches a database `nosuch.tdb`");
  CHECK(error_of("within 5s: nromal\n") ==
        "x.drill:1: no line above attaches a database `nromal`; did you mean normal?");
  CHECK(error_of("attach a.tdb persistant\n") ==
        "x.drill:1: `persistant` is no name of a database here: did you mean persistent?");
  CHECK(error_of("let leader be 1\n") ==
        "x.drill:1: `leader` means something already: give the node another name");
  CHECK(error_of("let 2 be 1\n") ==
        "x.drill:1: `2` means something already: give the node another name");
  CHECK(error_of("within 5s normal\n") ==
        "x.drill:1: expected `:` behind the duration, as in `within 5s: normal`");
  CHECK(error_of("try\n") == "x.drill:1: expected a verb after `try`, but the line ends there");
  CHECK(error_of("try repeat 3\nwait 1s\nend\n") ==
        "x.drill:1: `try` stands before what is done, not before `repeat`");
  CHECK(error_of("try kill 7\n") == "x.drill:1: there is no node 7: the cluster has nodes 0 to 2");
  CHECK(error_of("cluster nodes=99\n") == "x.drill:1: nodes= takes a number from 1 to 16: 99");
  CHECK(error_of("attach a.tdb\nworkload db=a.tdb mix=write,dance\n") ==
        "x.drill:2: mix= takes write, read, delete, move, transact and look, found `dance`");
  CHECK(error_of("within 2s:\n") ==
        "x.drill:1: expected a condition after `2s:`, but the line ends there");
  CHECK(error_of("wait 'one\n") == "x.drill:1: a quote is not closed");
  CHECK(error_of("cut 0 from 1,9\n") ==
        "x.drill:1: there is no node 9: the cluster has nodes 0 to 2");
}

TEST_CASE("all mistakes are told at once, each with its line") {
  CHECK(error_of("cluster nods=3\nattach a.tdb\nkil 0\nrepeat x\n  wait soon\nend\nwait 1s\n") ==
        "x.drill:1: expected nodes=, seed=, bound=, lock=, quorum=, freeze= or a tunable, found "
        "`nods=`; did you mean nodes=?\n"
        "x.drill:3: no such verb: `kil`; did you mean kill?\n"
        "x.drill:4: expected how often, a number from 1 to 1000000 after `repeat`, found `x`\n"
        "x.drill:5: expected a duration such as 500ms or 2s after `wait`, found `soon`");
  CHECK(error_of("one of\n  wait 1s\nor\n  wait x\nend\nend\n") ==
        "x.drill:4: expected a duration such as 500ms or 2s after `wait`, found `x`\n"
        "x.drill:6: `end` without a block that it belongs to");
}

TEST_CASE("mistakes in transactions, locks, administration and measures are told, too") {
  const std::string p = "cluster lock=yes\nattach p.tdb persistent\nattach a.tdb\nclient c on 0\n";
  CHECK(error_of(p + "c transact a.tdb k=v\n") ==
        "x.drill:5: a.tdb is volatile: expected a persistent or replicated database");
  CHECK(error_of(p + "c transact p.tdb\n") ==
        "x.drill:5: expected KEY=VALUE after `p.tdb`, but the line ends there");
  CHECK(error_of(p + "c transact p.tdb k\n") == "x.drill:5: expected KEY=VALUE, found `k`");
  CHECK(error_of(p + "c transact p.tdb k=v\nc transact p.tdb k=v\n") ==
        "x.drill:6: k=v is written by a line above: give it another value");
  CHECK(error_of(p + "c look p.tdb\n") ==
        "x.drill:5: expected a key after `p.tdb`, but the line ends there");
  CHECK(error_of(p + "c write p.tdb k v\n") ==
        "x.drill:5: p.tdb is written by transactions: expected a volatile database");
  CHECK(error_of(p + "fill p.tdb 3 records\n") ==
        "x.drill:5: p.tdb is written by transactions: expected a volatile database");
  CHECK(error_of(p + "workload db=p.tdb mix=write\n") ==
        "x.drill:5: nothing in the mix can be done to p.tdb: expected transact, look or read");
  CHECK(error_of(p + "workload db=a.tdb mix=read,look\n") ==
        "x.drill:5: mix= has look, but no persistent or replicated database is worked on");
  CHECK(error_of("cluster lock=perhaps\n") == "x.drill:1: lock= takes yes or no: perhaps");
  CHECK(error_of("lock lost\n") ==
        "x.drill:1: the cluster has no lock: `cluster lock=yes` gives it one");
  CHECK(error_of(p + "lock broken\n") ==
        "x.drill:5: expected lost, stolen, taken, wedged, unreachable, stale or good after `lock`, "
        "found `broken`");
  CHECK(error_of(p + "lock wedged 0\n") == "x.drill:5: expected `on` after `wedged`, found `0`");
  CHECK(error_of(p + "lock stale for ever\n") ==
        "x.drill:5: expected a duration such as 500ms or 2s after `for`, found `ever`");
  CHECK(error_of("setvar all RecoverTimeou 3\n") ==
        "x.drill:1: no such tunable: RecoverTimeou; did you mean RecoverTimeout?");
  CHECK(error_of("setvar all RecoverTimeout soon\n") ==
        "x.drill:1: expected a number from 0 to 4294967295 after `RecoverTimeout`, found `soon`");
  CHECK(error_of("setleaderrole 0 maybe\n") ==
        "x.drill:1: expected on or off after `0`, found `maybe`");
  CHECK(error_of(p + "wipedb p.tdb\n") ==
        "x.drill:5: p.tdb is written by transactions: expected a volatile database");
  CHECK(error_of(p + "detach a.tdb\nfill a.tdb 3 records\n")
            .find("x.drill:6: no line above attaches a database `a.tdb`") == 0);
  CHECK(error_of(p + "restoredb a.tdb some records\n") ==
        "x.drill:5: expected how many records, a number from 1 to 10000000 after `a.tdb`, found "
        "`some`");
  CHECK(error_of("delete node 7\n") ==
        "x.drill:1: expected the number of a node, from 0 to 2 after `node`, found `7`");
  CHECK(error_of("delete node 2\nkill 2\n") ==
        "x.drill:2: node 2 has been deleted by a line above");
  CHECK(error_of("add a node\n") == "x.drill:1: expected `node` after `add`, found `a`");
  CHECK(error_of("add node\nkill 3\n") == "none");
  CHECK(error_of("allow losses\n") == "x.drill:1: expected `bans` after `allow`, found `losses`");
  CHECK(error_of(p + "expect records a.tdb are 1\n") ==
        "x.drill:5: expected `of` after `records`, found `a.tdb`");
  CHECK(error_of(p + "expect records of a.tdb many\n") ==
        "x.drill:5: expected above, below or are after `a.tdb`, found `many`");
  CHECK(error_of("expect longest day below 1s\n") ==
        "x.drill:1: expected pause or wait after `longest`, found `day`");
  CHECK(error_of("expect longest wait about 1s\n") ==
        "x.drill:1: expected above or below after `wait`, found `about`; did you mean above?");
  CHECK(error_of(p + "expect migrations of a.tdb lost are 1\n") ==
        "x.drill:5: expected pending or resent after `a.tdb`, found `lost`");
  CHECK(error_of("expect log of 1 has x\n") == "x.drill:1: expected `node` after `of`, found `1`");
  CHECK(error_of("expect nobody here\n") ==
        "x.drill:1: expected `banned` after `nobody`, found `here`");
  CHECK(error_of(p + "expect a.tdb k is\n") ==
        "x.drill:5: expected a value, or absent after `is`, but the line ends there");
  CHECK(error_of("expect recoveries few\n") ==
        "x.drill:1: expected above, below or are after `recoveries`, found `few`");
}

TEST_CASE("every verb says what it is, and its example can be read") {
  const std::string setting =
      "cluster nodes=5 lock=yes\nattach locking.tdb brlock.tdb\nattach secrets.tdb "
      "persistent\nclient smbd on 0\nlet victim be leader\n";
  std::set<std::string> seen;
  for (const auto& v : all_verbs()) {
    CAPTURE(std::string(v.name));
    CHECK(seen.insert((v.of_client ? "client " : "") + std::string(v.name)).second);
    CHECK(std::string(v.summary).size() >= 10);
    if (v.is != verb::kind::plain) continue;
    const auto s = read_script("x.drill", setting + v.example + "\n");
    CHECK_MESSAGE(s.has_value(), (s ? "" : s.error()));
  }
  for (const auto& c : all_conditions()) {
    CAPTURE(std::string(c.form));
    const auto s = read_script("x.drill", setting + "expect " + c.example + "\n");
    CHECK_MESSAGE(s.has_value(), (s ? "" : s.error()));
  }
}

TEST_CASE("the shipped drills can be read, and have a story") {
  CHECK(shipped_drills().size() >= 15);
  for (const auto& d : shipped_drills()) {
    CAPTURE(d.name);
    const auto s = read_script(std::string(d.name), d.text);
    REQUIRE_MESSAGE(s.has_value(), (s ? "" : s.error()));
    CHECK(s->title.size() > 20);
  }
}
