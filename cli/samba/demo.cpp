#include "cli/samba/demo.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/cluster/processes.hpp"
#include "cli/samba/file_server.hpp"

namespace floe::cli {
namespace {

using steady = std::chrono::steady_clock;
double ms_since(steady::time_point t) {
  return std::chrono::duration<double, std::milli>(steady::now() - t).count();
}

/// Asks again and again; false after two minutes: a busy machine may take one to start an smbd.
template <class Condition>
bool comes_true(Condition condition) {
  const auto begun = steady::now();
  while (!condition()) {
    if (ms_since(begun) > 120'000) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string last_words(const std::string& text) {
  const auto end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return "it said nothing";
  const auto begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

class story {
 public:
  story(const local_cluster& c, const std::string& library,
        const std::function<void(const std::string&)>& tell)
      : cluster_(c), tell_(tell) {
    for (std::uint32_t i = 0; i < c.nodes; ++i) servers_.emplace_back(c, i, library);
  }

  demo_result play() {
    for (const auto step : {&story::start, &story::share, &story::kill_server, &story::kill_node}) {
      if (!result_.failed.empty()) break;
      (this->*step)();
    }
    return result_;
  }

 private:
  void fail(const std::string& why) { result_.failed = why; }

  void start() {
    const auto begun = steady::now();
    // The first alone: it writes its version into the cluster. Of several that find none there, each holding its read
    // lock, smbd ends all but one ("already running, refusing to start"), on ctdbd too.
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (const auto r = servers_[i].start(); !r) return fail(r.error());
      if (i == 0 && !serves(i)) return;
    }
    for (std::size_t i = 1; i < servers_.size(); ++i)
      if (!serves(i)) return;
    tell_(fmt::format("an smbd on each node serves one folder of files after {:.1f} s",
                      ms_since(begun) / 1000));
  }

  bool serves(std::size_t i) {
    if (comes_true([&] { return servers_[i].client("ls").status == 0; })) return true;
    fail(fmt::format("the smbd of node {} serves nobody; its log is {}/smb.{}/log/log.smbd", i,
                     cluster_.dir, i));
    return false;
  }

  void share() {
    constexpr std::size_t large = 64 << 20;
    std::ofstream(cluster_.dir + "/files/large").seekp(large - 1).put('\n');
    const auto put = servers_[0].client("put " + cluster_.dir + "/smb.0/smb.conf written");
    if (put.status != 0) return fail("writing through node 0: " + last_words(put.output));
    for (std::size_t i = 1; i < servers_.size(); ++i)
      if (servers_[i].client("get written /dev/null").status != 0)
        return fail(fmt::format("node {} does not show the file", i));
    result_.usual_ms = static_cast<double>(put.took.count());
    tell_(
        fmt::format("a file written through node 0 is read through nodes 1 and 2; a session with "
                    "an upload takes {:.0f} ms",
                    result_.usual_ms));
  }

  bool seen_open(std::uint32_t from) {
    return servers_[from].run({"/usr/bin/smbstatus", "-L"}).output.find("large") !=
           std::string::npos;
  }

  void kill_server() {
    const auto reader = servers_[0].keep_open("large");
    const bool open = comes_true([&] { return seen_open(1); });
    if (open)
      tell_("a client opens a file through node 0; node 1 sees that it is open (smbstatus)");
    const auto begun = steady::now();
    servers_[0].kill();
    const bool gone = open && comes_true([&] {
                        return servers_[1].client("rm large").status == 0 || !seen_open(1);
                      });
    result_.free_after_ms = ms_since(begun);
    ::kill(reader, SIGKILL);
    ::waitpid(reader, nullptr, 0);
    if (!open) return fail("node 1 does not see a file that is open on node 0");
    if (!gone) return fail("the file of a dead smbd stays open");
    const auto again = servers_[1].client("put " + cluster_.dir + "/smb.0/smb.conf large");
    if (again.status != 0) return fail("node 1 cannot write the file: " + last_words(again.output));
    tell_(
        fmt::format("the smbd of node 0 is killed; {:.0f} ms later its file is nobody's, and is "
                    "written through node 1",
                    result_.free_after_ms));
    if (const auto r = servers_[0].start(); !r) return fail(r.error());
    if (!comes_true([&] { return servers_[0].client("ls").status == 0; }))
      return fail("node 0's smbd does not come back");
  }

  void kill_node() {
    constexpr int sessions = 12;
    const auto lost = cluster_.nodes - 1;
    const auto pid = node_process(cluster_, lost);
    if (!pid) return fail("node 2 does not run");
    ::kill(*pid, SIGKILL);
    servers_[lost].kill();
    for (int i = 0; i < sessions; ++i) {
      const auto r = servers_[static_cast<std::size_t>(i) % lost].client(
          fmt::format("put {}/smb.0/smb.conf after.{}", cluster_.dir, i));
      if (r.status != 0)
        return fail(fmt::format("after the end of node 2, node {}: {}", i % static_cast<int>(lost),
                                last_words(r.output)));
      result_.slowest_ms = std::max(result_.slowest_ms, static_cast<double>(r.took.count()));
    }
    tell_(
        fmt::format("node 2 is killed with its smbd; {} sessions through nodes 0 and 1 go on, the "
                    "slowest takes {:.0f} ms",
                    sessions, result_.slowest_ms));
  }

  const local_cluster& cluster_;
  const std::function<void(const std::string&)>& tell_;
  std::vector<file_server> servers_;
  demo_result result_;
};

}  // namespace

demo_result play_samba_demo(const local_cluster& c, const std::string& library,
                            const std::function<void(const std::string&)>& tell) {
  return story(c, library, tell).play();
}

}  // namespace floe::cli
