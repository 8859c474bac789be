/// What a log admits, where it can go, and what the journal gets to search by.
#include "actors/log.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "actors/events.hpp"
#include "actors/log_limit.hpp"
#include "actors/log_sinks.hpp"
#include "actors/message_id.hpp"

using namespace floe;
using namespace std::chrono_literals;

namespace {

std::string text_of(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

}  // namespace

TEST_CASE(
    "a kind of event is written so many times a second, whatever else its lines say; the rest is "
    "counted and told") {
  log_limit limit;
  log_limit::time_point now{};
  unsigned written = 0;
  for (int i = 0; i < 1000; ++i)
    written += limit.admits("accept-failed from=" + std::to_string(i), now);
  CHECK(written == log_limit::lines_per_second);
  CHECK(limit.admits("node-down pnn=2", now));
  CHECK(limit.left_out(now).empty());
  now += 1500ms;
  CHECK(limit.left_out(now) == std::vector<log_limit::summary>{{"accept-failed", 980}});
  CHECK(limit.left_out(now + 2s).empty());
  CHECK(limit.admits("accept-failed from=1", now));
}

TEST_CASE("equal lines are written once a second, different ones between them all") {
  log_limit limit;
  const log_limit::time_point now{};
  CHECK(limit.admits("node-down pnn=2", now));
  CHECK_FALSE(limit.admits("node-down pnn=2", now));
  CHECK(limit.admits("node-down pnn=1", now));
  CHECK(limit.admits("node-down pnn=2", now + 1s));
}

TEST_CASE("kinds without number do not cost memory without limit") {
  log_limit limit;
  const log_limit::time_point now{};
  unsigned written = 0;
  for (int i = 0; i < 100'000; ++i)
    written += limit.admits("kind-" + std::to_string(i) + " x", now);
  CHECK(written == log_limit::most_kinds + log_limit::lines_per_second);
}

TEST_CASE("locations of a log") {
  for (const auto* good : {"file:/x y", "stderr", "syslog", "syslog:nonblocking", "syslog:udp",
                           "syslog:udp-rfc5424", "journal"})
    CHECK(to_string(*parse_log_target(good)) == good);
  for (const auto* wrong : {"", "file:", "syslog:tcp", "File:/x", "/var/log/x"})
    CHECK_FALSE(parse_log_target(wrong));
}

TEST_CASE(
    "a file log is reopened where it was after somebody has moved it, and says why it cannot be") {
  std::string dir = std::filesystem::temp_directory_path() / "floe-log-XXXXXX";
  REQUIRE(::mkdtemp(dir.data()) != nullptr);
  const auto path = dir + "/log";
  auto to = open_log({.to = log_target::kind::file, .path = path}, "node 1", 3);
  REQUIRE(to);
  (*to)->tell(event::node_stopping{.why = "first"});
  std::filesystem::rename(path, path + ".1");
  CHECK((*to)->reopen().empty());
  (*to)->tell(event::node_stopping{.why = "second"});
  CHECK(text_of(path + ".1").find("first") != std::string::npos);
  CHECK(text_of(path).find("second") != std::string::npos);
  CHECK(text_of(path).find("first") == std::string::npos);
  std::filesystem::rename(path, path + ".2");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK((*to)->reopen().find("FIFO") != std::string::npos);  // at once: nobody reads it
  CHECK_FALSE(open_log({.to = log_target::kind::file, .path = path}, "node 1", 3));
  std::filesystem::rename(path + ".2", path);
  std::filesystem::rename(dir, dir + ".gone");
  CHECK((*to)->reopen().find("No such file") != std::string::npos);
  (*to)->tell(event::node_stopping{.why = "third"});  // goes on with the old one
  CHECK(text_of(dir + ".gone/log").find("third") != std::string::npos);
  std::filesystem::remove_all(dir + ".gone");
  CHECK_FALSE(open_log({.to = log_target::kind::file, .path = dir + "/no/log"}, "node 1", 3));
}

TEST_CASE("the journal gets an event's name and its values as fields") {
  CHECK(journal_fields("node-down pnn=2 why=\"closed by peer\"") ==
        std::vector<std::string>{"MESSAGE_ID=" + message_id("node-down"), "FLOE_EVENT=node-down",
                                 "FLOE_PNN=2", "FLOE_WHY=closed by peer"});
  CHECK(journal_fields("freeze-state db=a.tdb thawed->freezing holders=1") ==
        std::vector<std::string>{"MESSAGE_ID=" + message_id("freeze-state"),
                                 "FLOE_EVENT=freeze-state", "FLOE_DB=a.tdb", "FLOE_FROM=thawed",
                                 "FLOE_TO=freezing", "FLOE_HOLDERS=1"});
  CHECK(journal_fields("of no event").empty());
}

TEST_CASE("every event has an id of its own in the journal, for ever") {
  CHECK(message_id("node-down") == "f10ec1d2a94b7e60202eec274ebfab4c");
  std::set<std::string> ids;
  for (const auto& e : all_events()) {
    CHECK(message_id(e.name).size() == 32);
    CHECK(ids.insert(message_id(e.name)).second);
  }
}
