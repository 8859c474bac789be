#include <doctest/doctest.h>

#include "actors/node/membership/nodes_file.hpp"
#include "cli/config/c_number.hpp"
#include "cli/config/node_files.hpp"
#include "cli/config/settings_file.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

std::string lines_of(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& l : lines) all += l + "\n";
  return all;
}
bool mentions(const std::vector<std::string>& lines, std::string_view words) {
  return lines_of(lines).find(words) != std::string::npos;
}

parsed_settings apply(std::string_view text) { return apply_settings(text, places_of("/base")); }

}  // namespace

TEST_CASE(
    "settings are read as ctdbd reads them: indented, sections in any case, blanks as one, nothing "
    "inside a "
    "value is a comment") {
  const auto s = read_settings(
      "# a comment\n[Logging]\n\tlocation = file:/x;y # z\n\n  log   level=  INFO  \n; "
      "another\n[cluster]\nnode address =\n");
  CHECK(s.errors.empty());
  REQUIRE(s.settings.size() == 3);
  CHECK(s.settings[0].section == "logging");
  CHECK(s.settings[0].name == "location");
  CHECK(s.settings[0].value == "file:/x;y # z");
  CHECK(s.settings[0].line == 3);
  CHECK(s.settings[1].name == "log level");
  CHECK(s.settings[1].value == "INFO");
  CHECK(s.settings[2].value.empty());
}

TEST_CASE("a backslash at the end of a line goes on with the next, comment or not") {
  const auto value = [](std::string_view text) { return read_settings(text).settings[0].value; };
  CHECK(value("[a]\nx = one \\\n two\n") == "one two");
  CHECK(value("[a]\nx = one\\\n#two\n") == "one#two");
  CHECK(value("[a]\nx = one \\ \n two\ny = 3\n") == "one two");
  CHECK(value("[a]\nx = one\\\n") == "one");
  CHECK(value("[a]\nx = one\\ ") == "one\\");
  CHECK(read_settings("[a]\nx = 1\\\n2\ny = 3\n").settings[1].line == 4);
}

TEST_CASE("numbers are read as C reads them") {
  CHECK(parse_c_number("16") == 16);
  CHECK(parse_c_number("0x10") == 16);
  CHECK(parse_c_number("072") == 58);
  CHECK(parse_c_number("0") == 0);
  CHECK(parse_c_number("+16") == 16);
  for (const auto* wrong : {"", "-1", "+", "1x", "0x", "08", " 1", "99999999999999999999999"})
    CHECK_FALSE(parse_c_number(wrong));
}

TEST_CASE("a line may be long") {
  const std::string path(5000, 'x');
  const auto s = read_settings("[logging]\nlocation = file:" + path + "\n");
  REQUIRE(s.settings.size() == 1);
  CHECK(s.settings[0].value.size() == 5005);
}

TEST_CASE("lines that are neither section nor setting are errors with their number") {
  const auto wrong = [](const char* text) {
    const auto s = read_settings(text);
    REQUIRE(s.errors.size() == 1);
    return s.errors[0];
  };
  CHECK(wrong("[a]\nx\n").starts_with("line 2:"));
  CHECK(wrong("[a\n").starts_with("line 1:"));
  CHECK(wrong("x = 1\n").find("section") != std::string::npos);
  CHECK(wrong("[a]\n = 1\n").find("without a name") != std::string::npos);
  CHECK(wrong("[a] x = 1\n").find("behind the section's name") != std::string::npos);
  CHECK(read_settings("[a] # a comment\nx = 1\n").errors.empty());
}

TEST_CASE("what is wrong with one line does not hide what is wrong with the others") {
  const auto p = apply("[cluster]\nno equals\n[nosuch]\n[logging]\nlog level = LOUD\n");
  REQUIRE(p.errors.size() == 3);
  CHECK(mentions(p.errors, "line 2: neither [section] nor name = value"));
  CHECK(mentions(p.errors, "line 3: there is no section [nosuch]"));
  CHECK(mentions(p.errors, "line 5: [logging] log level = LOUD: must be"));
}

TEST_CASE("a megabyte in one line is an error of a few words, at once") {
  const std::string much(1'000'000, 'x');
  tunable_list t;
  for (const auto& errors :
       {apply("[cluster]\n" + much + " = 1\n").errors, apply("[" + much + "]\n").errors,
        apply("[logging]\nlog level = " + much + "\n").errors, apply_tunables(much + "=1\n", t),
        apply_tunables("MonitorInterval=" + much + "\n", t)}) {
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].size() < 300);
  }
}

TEST_CASE("an empty file gives the usual places") {
  const auto p = apply("");
  CHECK(p.errors.empty());
  CHECK(p.setup.config.socket == "/base/run/ctdbd.socket");
  CHECK(p.setup.pid_file == "/base/run/ctdbd.pid");
  CHECK(to_string(p.setup.log) == "file:/base/log.ctdb");
  CHECK(p.setup.config.volatile_dir == "/base/db/volatile");
  CHECK(p.setup.config.persistent_dir == "/base/db/persistent");
  CHECK(p.setup.config.state_dir == "/base/db/state");
  CHECK_FALSE(p.port);
  CHECK(p.setup.config.leader_capable);
}

TEST_CASE("every setting arrives") {
  const auto p = apply(
      "[logging]\nlocation = file:/l\nlog level = debug\n"
      "[cluster]\nnode address = 127.0.0.9\nleader capability = false\nleader timeout = 7\n"
      "[database]\nvolatile database directory = /tmp\npersistent database directory = /usr\nstate "
      "database directory = /var\n"
      "[legacy]\nstart as stopped = Yes\nstart as disabled = true\nlmaster capability = no\n"
      "[failover]\ndisabled = true\n"
      "[floe]\nport = 4400\nfreeze all first = true\n");
  CHECK(lines_of(p.errors).empty());
  CHECK(lines_of(p.setup.warnings).empty());
  const auto& c = p.setup.config;
  CHECK(to_string(p.setup.log) == "file:/l");
  CHECK(p.setup.level == 10);
  CHECK(p.node_address == "127.0.0.9");
  CHECK_FALSE(c.leader_capable);
  CHECK_FALSE(c.lmaster_capable);
  CHECK(c.leader_timeout == std::chrono::seconds(7));
  CHECK(c.volatile_dir == "/tmp");
  CHECK(c.persistent_dir == "/usr");
  CHECK(c.state_dir == "/var");
  CHECK(c.start_stopped);
  CHECK(c.start_disabled);
  CHECK(p.port == 4400);
  CHECK(c.freeze_all_first);
}

TEST_CASE("unknown settings are errors with a suggestion, all of them at once") {
  const auto p = apply(
      "[cluster]\nleader timeot = 5\n[databse]\nx = 1\n[logging]\nnode address = "
      "1.2.3.4\nfrobnicate = 1\n");
  REQUIRE(p.errors.size() == 4);
  CHECK(
      mentions(p.errors,
               "line 2: [cluster] has no setting `leader timeot`; did you mean `leader timeout`?"));
  CHECK(mentions(p.errors, "line 3: there is no section [databse]; did you mean [database]?"));
  CHECK(mentions(p.errors,
                 "line 6: [logging] has no setting `node address`; it belongs into [cluster]"));
  CHECK(mentions(p.errors,
                 "line 7: [logging] has no setting `frobnicate`; there are: location, log level"));
}

TEST_CASE("settings of ctdbd without a meaning here are warnings") {
  const auto p = apply(
      "[cluster]\ntransport = tcp\n[database]\ntdb mutexes = true\nlock debug script = x\n"
      "[legacy]\nrealtime scheduling = false\nscript log level = ERROR\n[event]\ndebug script = "
      "y\n");
  CHECK(lines_of(p.errors).empty());
  CHECK(p.setup.warnings.size() == 8);  // and that the two scripts are not there
  CHECK(mentions(p.setup.warnings,
                 "[database] tdb mutexes has no effect: records are not kept in TDB files"));
}

TEST_CASE("values that make no sense are errors that say what would") {
  const auto p = apply(
      "[logging]\nlocation = syslog:tcp\nlog level = LOUD\n[cluster]\nleader timeout = 0\nleader "
      "capability = maybe\n"
      "cluster lock = shared/lock\n[floe]\nport = 70000\n");
  CHECK(p.errors.size() == 6);
  CHECK(mentions(p.errors, "syslog:udp-rfc5424"));
  CHECK(mentions(p.errors, "must be ERROR, WARNING, NOTICE, INFO, DEBUG or a number from 0 to 10"));
  CHECK(mentions(p.errors, "must be a number from 1 to 2147483647"));
  CHECK(mentions(p.errors, "must be true, yes, false or no"));
  CHECK(mentions(p.errors,
                 "cluster lock = shared/lock: must be an absolute path, or `!` and a command"));
  CHECK(mentions(p.errors, "must be a number from 1 to 65535"));
}

TEST_CASE("the cluster lock is a path or a command, under its new and its old name") {
  const auto lock = [](const std::string& line) {
    const auto p = apply("[cluster]\n" + line + "\n");
    return p.errors.empty() ? p.setup.config.cluster_lock : "error";
  };
  CHECK(lock("cluster lock = /shared/lock") == "/shared/lock");
  CHECK(lock("recovery lock = /shared/lock") == "/shared/lock");
  CHECK(lock("cluster lock = !/usr/bin/helper a b") == "!/usr/bin/helper a b");
  CHECK(lock("cluster lock =") == "error");  // never "no lock"
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

TEST_CASE("addresses in the nodes file are compared as addresses") {
  CHECK(parse_nodes("::ffff:127.9.1.1\n", 1)->front().where.ip == "127.9.1.1");
  CHECK(parse_nodes("127.0.0.1\n::ffff:127.0.0.1\n", 1).error() ==
        "line 2: 127.0.0.1 is there twice");
  CHECK(parse_nodes("127.0.0.010\n", 1).error() == "line 1: not an address: 127.0.0.010");
  CHECK(parse_nodes(std::string(1'000'000, '1') + "\n", 1).error() ==
        "line 1: 1000000 characters are no address");
  std::string many;
  for (int i = 0; i <= 4096; ++i)
    many += "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + "\n";
  CHECK(parse_nodes(many, 1).error() == "line 4097: more than 4096 nodes");
}

TEST_CASE("settings that ctdbd has otherwise are told, not guessed") {
  CHECK(
      mentions(apply("[legacy]\nstart as stopped = 1\n").errors, "must be true, yes, false or no"));
  CHECK(apply("[logging]\nlog level = 08\n").setup.level == 8);
  CHECK(apply("[logging]\nlog level = 0x4\n").setup.level == 0);  // decimal; the rest is ignored
  CHECK(mentions(apply("[logging]\nlog level = 012\n").errors, "must be"));
  CHECK(mentions(apply("[event]\ndebug script = /no/such\n").setup.warnings,
                 "ctdbd would not start with this: /base/such is not there"));
  CHECK(mentions(apply("[legacy]\nctdb start as stopped = yes\n").errors,
                 "did you mean `start as stopped`?"));
  CHECK(apply("[logging]\nlog level = 08\n").setup.level == 8);
  CHECK(apply("[logging]\nlog level = 0x4\n").setup.level ==
        0);  // decimal, and the rest is ignored
  CHECK(mentions(apply("[logging]\nlog level = 012\n").errors, "must be"));
  CHECK(mentions(apply("[event]\ndebug script = /no/such\n").setup.warnings,
                 "ctdbd would not start with this: /base/such is not there"));
  CHECK(mentions(apply("[logging]\nLog Level = 3\n").errors, "did you mean `log level`?"));
  CHECK(mentions(apply("[cluster]\nleader timeout =\n").errors, "there is no value"));
  CHECK(mentions(apply("[cluster]\nleader timeout = 5 s\n").setup.warnings, "`5 s` is read as 5"));
  CHECK(apply("[cluster]\nleader timeout = 0x10\n").setup.config.leader_timeout ==
        std::chrono::seconds(16));
  CHECK(apply("[logging]\nlog level = 4\n").setup.level == 4);
  CHECK(apply("[logging]\nlog level = warn\n").setup.level == 1);
  CHECK(mentions(apply("[database]\nstate database directory = /no/such\n").errors,
                 "there is no such directory"));
}

TEST_CASE("a nodes file with nonsense, doubles or nothing is refused with the line") {
  CHECK(parse_nodes("10.0.0.1\nnode2\n", 1).error() == "line 2: not an address: node2");
  CHECK(parse_nodes("10.0.0.1\n10.0.0.2\n10.0.0.1\n", 1).error() ==
        "line 3: 10.0.0.1 is there twice");
  CHECK(parse_nodes("\n", 1).error() == "no addresses in it");
}

TEST_CASE("the lines of ctdb.tunables are read as those of ctdb.conf") {
  tunable_list t;
  CHECK(lines_of(apply_tunables("; c\n\tMonitorInterval\t=\t+5\nRecoverTimeout=\\\n7\n", t)) == "");
  CHECK(t[tunable::monitor_interval] == 5);
  CHECK(t[tunable::recover_timeout] == 7);
  CHECK(lines_of(apply_tunables("[x]\n=5\n", t)) ==
        "line 1: this file has no sections: [x]\nline 2: a value without a name\n");
}

TEST_CASE("tunables are set by name in any case; mistakes are told with a suggestion") {
  tunable_list t;
  const auto errors = apply_tunables(
      "# c\nrecovertimeout = 0x7\nRecoverInterva=2\nKeepaliveInterval=x\n\nMonitorInterval=\n", t);
  CHECK(t[tunable::recover_timeout] == 7);
  REQUIRE(errors.size() == 3);
  CHECK(errors[0] == "line 3: there is no tunable RecoverInterva; did you mean RecoverInterval?");
  CHECK(errors[1].starts_with("line 4: KeepaliveInterval: not a number"));
  CHECK(errors[2].starts_with("line 6:"));
}
