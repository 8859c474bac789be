#include <doctest/doctest.h>

#include "cli/config/node_files.hpp"
#include "cli/config/settings_file.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& l : lines) all += l + "\n";
  return all;
}
bool mentions(const std::vector<std::string>& lines, std::string_view words) {
  return joined(lines).find(words) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "settings are read as ctdbd reads them: indented, any case, blanks as one, nothing inside a "
    "value is a comment") {
  const auto s = read_settings(
      "# a comment\n[Logging]\n\tlocation = file:/x;y # z\n\n  log   LEVEL=  INFO  \n; "
      "another\n[cluster]\nnode address =\n");
  REQUIRE(s);
  REQUIRE(s->size() == 3);
  CHECK((*s)[0].section == "logging");
  CHECK((*s)[0].name == "location");
  CHECK((*s)[0].value == "file:/x;y # z");
  CHECK((*s)[0].line == 3);
  CHECK((*s)[1].name == "log level");
  CHECK((*s)[1].value == "INFO");
  CHECK((*s)[2].value.empty());
}

TEST_CASE("a line may be long") {
  const std::string path(5000, 'x');
  const auto s = read_settings("[logging]\nlocation = file:" + path + "\n");
  REQUIRE(s);
  CHECK((*s)[0].value.size() == 5005);
}

TEST_CASE("lines that are neither section nor setting are errors with their number") {
  const auto wrong = [](const char* text) {
    const auto s = read_settings(text);
    REQUIRE_FALSE(s);
    return s.error();
  };
  CHECK(wrong("[a]\nx\n").starts_with("line 2:"));
  CHECK(wrong("[a\n").starts_with("line 1:"));
  CHECK(wrong("x = 1\n").find("section") != std::string::npos);
  CHECK(wrong("[a]\n = 1\n").find("without a name") != std::string::npos);
}

TEST_CASE("an empty file gives the usual places") {
  const auto p = apply_settings("", "/base");
  CHECK(p.errors.empty());
  CHECK(p.setup.config.socket == "/base/run/ctdbd.socket");
  CHECK(p.setup.pid_file == "/base/run/ctdbd.pid");
  CHECK(p.setup.log_file == "/base/log.ctdb");
  CHECK(p.setup.config.volatile_dir == "/base/db/volatile");
  CHECK(p.setup.config.persistent_dir == "/base/db/persistent");
  CHECK(p.setup.config.state_dir == "/base/db/state");
  CHECK_FALSE(p.port);
  CHECK(p.setup.config.leader_capable);
}

TEST_CASE("every setting arrives") {
  const auto p = apply_settings(
      "[logging]\nlocation = file:/l\nlog level = debug\n"
      "[cluster]\nnode address = 127.0.0.9\nleader capability = false\nleader timeout = 7\n"
      "[database]\nvolatile database directory = /v\npersistent database directory = /p\nstate "
      "database directory = /s\n"
      "[legacy]\nctdb start as stopped = yes\nstart as disabled = true\nlmaster capability = no\n"
      "[failover]\ndisabled = true\n"
      "[floe]\nport = 4400\nfreeze all first = true\n",
      "/base");
  CHECK(joined(p.errors).empty());
  CHECK(joined(p.setup.warnings).empty());
  const auto& c = p.setup.config;
  CHECK(p.setup.log_file == "/l");
  CHECK(p.setup.level == log_level::debug);
  CHECK(p.node_address == "127.0.0.9");
  CHECK_FALSE(c.leader_capable);
  CHECK_FALSE(c.lmaster_capable);
  CHECK(c.leader_timeout == std::chrono::seconds(7));
  CHECK(c.volatile_dir == "/v");
  CHECK(c.persistent_dir == "/p");
  CHECK(c.state_dir == "/s");
  CHECK(c.start_stopped);
  CHECK(c.start_disabled);
  CHECK(p.port == 4400);
  CHECK(c.freeze_all_first);
}

TEST_CASE("unknown settings are errors with a suggestion, all of them at once") {
  const auto p = apply_settings(
      "[cluster]\nleader timeot = 5\n[databse]\nx = 1\n[logging]\nnode address = "
      "1.2.3.4\nfrobnicate = 1\n",
      "/base");
  REQUIRE(p.errors.size() == 4);
  CHECK(
      mentions(p.errors,
               "line 2: [cluster] has no setting `leader timeot`; did you mean `leader timeout`?"));
  CHECK(mentions(p.errors, "line 4: there is no section [databse]; did you mean [database]?"));
  CHECK(mentions(p.errors,
                 "line 6: [logging] has no setting `node address`; it belongs into [cluster]"));
  CHECK(mentions(p.errors,
                 "line 7: [logging] has no setting `frobnicate`; there are: location, log level"));
}

TEST_CASE("settings of ctdbd without a meaning here are warnings") {
  const auto p = apply_settings(
      "[cluster]\ntransport = tcp\n[database]\ntdb mutexes = true\nlock debug script = x\n"
      "[legacy]\nrealtime scheduling = false\nscript log level = ERROR\n[event]\ndebug script = "
      "y\n",
      "/base");
  CHECK(joined(p.errors).empty());
  CHECK(p.setup.warnings.size() == 6);
  CHECK(mentions(p.setup.warnings, "[database] tdb mutexes has no effect"));
}

TEST_CASE("values that make no sense are errors that say what would") {
  const auto p = apply_settings(
      "[logging]\nlocation = syslog\nlog level = LOUD\n[cluster]\nleader timeout = 0\nleader "
      "capability = maybe\n"
      "cluster lock = shared/lock\n[floe]\nport = 70000\n",
      "/base");
  CHECK(p.errors.size() == 6);
  CHECK(mentions(p.errors, "syslog is not supported"));
  CHECK(mentions(p.errors, "must be ERROR, WARNING, NOTICE, INFO or DEBUG"));
  CHECK(mentions(p.errors, "must be a number from 1 to 3600"));
  CHECK(mentions(p.errors, "must be true or false"));
  CHECK(mentions(p.errors, "cluster lock = shared/lock: must be an absolute path, or `!` and a command"));
  CHECK(mentions(p.errors, "must be a number from 1 to 65535"));
}

TEST_CASE("the cluster lock is a path or a command, under its new and its old name") {
  const auto lock = [](const std::string& line) {
    const auto p = apply_settings("[cluster]\n" + line + "\n", "/base");
    return p.errors.empty() ? p.setup.config.cluster_lock : "error";
  };
  CHECK(lock("cluster lock = /shared/lock") == "/shared/lock");
  CHECK(lock("recovery lock = /shared/lock") == "/shared/lock");
  CHECK(lock("cluster lock = !/usr/bin/helper a b") == "!/usr/bin/helper a b");
  CHECK(lock("cluster lock =") == "");
  CHECK(lock("cluster lock = !") == "error");
  CHECK(lock("cluster lock = !helper a") == "error");
  CHECK(lock("cluster lock = lock") == "error");
}

TEST_CASE("the nodes file: place is number, '#' is deleted, blank lines are nothing") {
  const auto n = parse_nodes("10.0.0.1\n\n#10.0.0.2\n  fd00::3  \n", 4379);
  REQUIRE(n);
  REQUIRE(n->size() == 3);
  CHECK((*n)[0].where == endpoint{"10.0.0.1", 4379});
  CHECK_FALSE((*n)[0].deleted);
  CHECK((*n)[1].deleted);
  CHECK((*n)[2].where.ip == "fd00::3");
}

TEST_CASE("a nodes file with nonsense, doubles or nothing is refused with the line") {
  CHECK(parse_nodes("10.0.0.1\nnode2\n", 1).error() == "line 2: not an address: node2");
  CHECK(parse_nodes("10.0.0.1\n10.0.0.2\n10.0.0.1\n", 1).error() ==
        "line 3: 10.0.0.1 is there twice");
  CHECK(parse_nodes("\n", 1).error() == "no addresses in it");
}

TEST_CASE("tunables are set by name in any case; mistakes are told with a suggestion") {
  tunable_list t;
  const auto errors = apply_tunables(
      "# c\nrecovertimeout = 7\nRecoverInterva=2\nKeepaliveInterval=x\n\nMonitorInterval=\n", t);
  CHECK(t[tunable::recover_timeout] == 7);
  REQUIRE(errors.size() == 3);
  CHECK(errors[0] == "line 3: there is no tunable RecoverInterva; did you mean RecoverInterval?");
  CHECK(errors[1].starts_with("line 4: KeepaliveInterval: not a number"));
  CHECK(errors[2].starts_with("line 6:"));
}
