#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/cluster/layout.hpp"
#include "cli/cluster/pid_file.hpp"
#include "cli/config/node_files.hpp"

using namespace floe;
using namespace floe::cli;
namespace fs = std::filesystem;

namespace {

struct directory {
  directory() {
    std::string name = fs::temp_directory_path() / "floe-test-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~directory() { fs::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path + "/" + name).parent_path());
    std::ofstream(path + "/" + name) << text;
  }
  std::string path;
};

}  // namespace

TEST_CASE("a directory with nothing but a nodes file is a node; folders are made") {
  const directory d;
  d.write("nodes", "192.0.2.1\n127.0.0.1\n");
  const auto s = read_node_directory(d.path);
  REQUIRE(s);
  CHECK(s->config.self == pnn{1});  // 192.0.2.1 belongs to nobody
  CHECK(fs::is_directory(d.path + "/run"));
  CHECK(fs::is_directory(d.path + "/db/persistent"));
}

TEST_CASE("settings, nodes and tunables of one directory; the address says which node") {
  const directory d;
  d.write("nodes", "127.0.0.1\n127.0.0.2\n");
  d.write("ctdb.conf", "[cluster]\nnode address = 127.0.0.2\n[floe]\nport = 4400\n");
  d.write("ctdb.tunables", "RecoverTimeout=9\n");
  const auto s = read_node_directory(d.path);
  REQUIRE(s);
  CHECK(s->config.self == pnn{1});
  CHECK(s->config.nodes[0].where.port == 4400);
  CHECK(s->config.tunables[tunable::recover_timeout] == 9);
}

TEST_CASE("the list of nodes may be what a command prints") {
  const directory d;
  d.write("list", "192.0.2.1\n127.0.0.1\n");
  const auto with = [&](const std::string& command) {
    d.write("ctdb.conf", "[cluster]\nnodes list = !" + command + "\n");
    return read_node_directory(d.path);
  };
  const auto good = with("cat " + d.path + "/list && test -z \"$(cat)\"");
  REQUIRE(good);
  CHECK(good->config.nodes.size() == 2);
  CHECK(good->config.self == pnn{1});
  for (const auto& [command, why] :
       {std::pair{"exit 3", "!exit 3: exit status 3"},
        {"kill -9 $$", "ended by signal 9"},
        {"echo 127.0.0.1; false", "exit status 1"},
        {"echo nonsense", "what !echo nonsense prints: line 1: not an address: nonsense"},
        {"true", "no addresses in it"},
        {"yes 127.0.0.1", "prints more than a list of nodes has"},
        {"", "must name a file, or a command after the !"}}) {
    CAPTURE(command);
    const auto bad = with(command);
    REQUIRE_FALSE(bad);
    CHECK_MESSAGE(bad.error().front().find(why) != std::string::npos, bad.error().front());
  }
}

TEST_CASE("all mistakes of all files at once, and nothing is made") {
  const directory d;
  d.write("nodes", "127.0.0.1\n");
  d.write("ctdb.conf", "[cluster]\nnode address = 127.0.0.9\nbogus = 1\n");
  d.write("tunables", "Bogus=1\n");
  const auto s = read_node_directory(d.path);
  REQUIRE_FALSE(s);
  REQUIRE(s.error().size() == 3);
  CHECK(s.error()[0].starts_with(d.path + "/ctdb.conf: line 3:"));
  CHECK(s.error()[1].find("127.0.0.9 is not in the nodes file") != std::string::npos);
  CHECK(s.error()[2].starts_with(d.path + "/tunables: line 1:"));
  CHECK_FALSE(fs::exists(d.path + "/run"));
}

TEST_CASE("databases that bear another node's number are named") {
  const directory d;
  d.write("nodes", "192.0.2.1\n127.0.0.1\n");
  d.write("db/persistent/own.tdb.1", "");
  d.write("db/persistent/own.tdb.1-lock", "");
  d.write("db/persistent/own.tdb.1.corrupt.20110818T051623Z", "");
  REQUIRE(read_node_directory(d.path));
  CHECK(read_node_directory(d.path)->warnings.empty());
  d.write("db/persistent/secrets.tdb.0", "");
  const auto s = read_node_directory(d.path);
  REQUIRE(s);
  REQUIRE(s->warnings.size() == 1);
  CHECK(
      s->warnings[0].find("holds 1 database of another node (secrets.tdb.0), and this is node 1") !=
      std::string::npos);
}

TEST_CASE("what is there and cannot be read is not taken for nothing") {
  const directory d;
  d.write("nodes", "127.0.0.1\n");
  const auto why = [&] {
    const auto s = read_node_directory(d.path);
    return s ? std::string() : s.error().front();
  };
  for (const auto* file : {"ctdb.conf", "ctdb.tunables"}) {
    fs::create_symlink("/no/such", d.path + "/" + file);
    CHECK(why() == d.path + "/" + file + ": is a link to a file that is not there");
    fs::remove(d.path + "/" + file);
  }
  d.write("ctdb.conf.d", "");
  CHECK(why() == d.path + "/ctdb.conf.d: cannot be read: Not a directory");
  fs::remove(d.path + "/ctdb.conf.d");
  fs::create_symlink("/no/such", d.path + "/ctdb.conf.d");
  CHECK(why().find("ctdb.conf.d: cannot be read") != std::string::npos);
  fs::remove(d.path + "/ctdb.conf.d");
  CHECK(why().empty());
}

TEST_CASE("what cannot be a node says why") {
  CHECK(read_node_directory("/does/not/exist").error()[0] == "/does/not/exist: no such directory");
  const directory d;
  CHECK(
      read_node_directory(d.path).error()[0].starts_with(d.path + "/nodes: there is no such file"));
  const std::string deep = d.path + "/" + std::string(100, 'x');
  fs::create_directories(deep);
  std::ofstream(deep + "/nodes") << "127.0.0.1\n";
  CHECK(read_node_directory(deep).error()[0].find("too long for a Unix socket") !=
        std::string::npos);
}

TEST_CASE("a pid file belongs to one process, and to nobody when that has ended") {
  const directory d;
  const auto path = d.path + "/pid";
  CHECK_FALSE(pid_file::holder(path));
  int ready[2], go[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(go) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = pid_file::take(path);
    const char answer = mine ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    ::close(go[1]);
    char ignored = 0;
    if (::read(go[0], &ignored, 1) > 0) ::_exit(1);
    ::_exit(0);  // without removing it, as if killed
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  CHECK(pid_file::holder(path) == child);
  const auto second = pid_file::take(path);
  REQUIRE_FALSE(second);
  CHECK(second.error() == "another node runs in this directory, process " + std::to_string(child));
  ::close(go[0]);
  ::close(go[1]);
  ::waitpid(child, nullptr, 0);
  CHECK(fs::exists(path));
  CHECK_FALSE(pid_file::holder(path));
  {
    const auto mine = pid_file::take(path);
    REQUIRE(mine);
    std::ifstream in(path);
    pid_t written = 0;
    in >> written;
    CHECK(written == ::getpid());
  }
  CHECK_FALSE(fs::exists(path));
  for (const int fd : {ready[0], ready[1]}) ::close(fd);
}

TEST_CASE("a cluster's directories are nodes that know each other; made once, found again") {
  const directory d;
  const auto made = make_cluster({.dir = d.path + "/c",
                                  .nodes = 3,
                                  .prefix = {},
                                  .extra_settings = "freeze all first = true\n",
                                  .tunables = {{"RecoverTimeout", 4}}});
  REQUIRE(made);
  CHECK(made->prefix.starts_with("127."));
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto s = read_node_directory(made->base(i));
    REQUIRE(s);
    CHECK(s->config.self == pnn{i});
    CHECK(s->config.nodes.size() == 3);
    CHECK(s->config.nodes[2].where.ip == made->address(2));
    CHECK(s->config.nodes[2].where.port == made->port);
    CHECK(s->config.freeze_all_first);
    CHECK(s->config.tunables[tunable::recover_timeout] == 4);
  }
  const auto again =
      make_cluster({.dir = d.path + "/c", .prefix = {}, .extra_settings = {}, .tunables = {}});
  REQUIRE(again);
  CHECK(again->prefix == made->prefix);
  CHECK(again->nodes == 3);
  const auto more = make_cluster(
      {.dir = d.path + "/c", .nodes = 5, .prefix = {}, .extra_settings = {}, .tunables = {}});
  REQUIRE(more);
  CHECK(more->nodes == 5);
  CHECK(more->prefix == made->prefix);
  CHECK(read_node_directory(made->base(0))->config.nodes.size() == 5);
  const auto fewer = make_cluster(
      {.dir = d.path + "/c", .nodes = 4, .prefix = {}, .extra_settings = {}, .tunables = {}});
  REQUIRE_FALSE(fewer);
  CHECK(fewer.error().find("has 5 nodes") != std::string::npos);
  CHECK(open_cluster(d.path + "/c")->port == made->port);
  CHECK(open_cluster(d.path).error().find("no cluster is there") != std::string::npos);
}

TEST_CASE("addresses that are taken or not ours are refused") {
  const directory d;
  const auto c = make_cluster(
      {.dir = d.path, .nodes = 2, .prefix = "192.0.2", .extra_settings = {}, .tunables = {}});
  REQUIRE_FALSE(c);
  CHECK(c.error().find("192.0.2.1 to 192.0.2.2 cannot be used") != std::string::npos);
}

TEST_CASE("a file that is there and cannot be used is an error, never the defaults") {
  const directory d;
  d.write("nodes", "127.0.0.1\n");
  const auto error = [&] {
    const auto s = read_node_directory(d.path);
    return s ? std::string() : s.error()[0];
  };
  REQUIRE(error().empty());
  const std::string settings = d.path + "/ctdb.conf";
  fs::create_directory(settings);
  CHECK(error() == settings + ": is a directory");
  fs::remove(settings);
  REQUIRE(::mkfifo(settings.c_str(), 0600) == 0);
  CHECK(error() == settings + ": is a FIFO");
  fs::remove(settings);
  fs::create_symlink("/dev/zero", settings);
  CHECK(error() == settings + ": is a device");
  fs::remove(settings);
  d.write("ctdb.conf", "\xef\xbb\xbf[cluster]\n");
  CHECK(error() == settings + ": begins with a byte order mark: save it as plain text");
  d.write("ctdb.conf", std::string(2'000'000, '#'));
  CHECK(error() == settings + ": is larger than 1048576 bytes");
  d.write("ctdb.conf", std::string("[clu\0ster]", 10));
  CHECK(error() == settings + ": is no text: there is a NUL at byte 4");
  d.write("ctdb.conf", "");
  CHECK(error().empty());
  fs::permissions(settings, fs::perms::none);
  if (::geteuid() != 0)
    CHECK(error() == settings + ": cannot be read: Permission denied");  // root reads everything
}

TEST_CASE("the places of the distribution are those that Debian's ctdb expects") {
  const auto p = places_of("");
  CHECK(p.settings == "/etc/ctdb/ctdb.conf");
  CHECK(p.nodes == "/etc/ctdb/nodes");
  CHECK(p.socket == "/run/ctdb/ctdbd.socket");
  CHECK(p.pid_file == "/run/ctdb/ctdbd.pid");
  CHECK(p.persistent_dir == "/var/lib/ctdb/persistent");
}

TEST_CASE("a pid file that another one has replaced is left alone") {
  const directory d;
  const std::string path = d.path + "/pid";
  {
    const auto ours = pid_file::take(path);
    REQUIRE(ours);
    fs::remove(path);
    d.write("pid", "4711\n");
  }
  CHECK(fs::exists(path));
}
