#include "cli/drill/testbed/real/real_testbed.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "actors/events.hpp"
#include "cli/cluster/processes.hpp"
#include "cli/drill/language/impossible_lines.hpp"
#include "cli/drill/testbed/real/ctdbd_node.hpp"
#include "cli/drill/testbed/real/processes.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe::cli::drill {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Of the nodes' addresses, each in a namespace of its own.
constexpr const char* wire_prefix = "10.99.0";
constexpr duration between_looks = 10ms;
/// sockaddr_un has room for 107 octets.
constexpr std::size_t longest_directory = 80;

/// What a ctdbd's line means, as a floe node would say it, for timelines; or nothing. "Freeze" is when it
/// begins to wait for the clients' locks.
std::string event_in(std::string_view line) {
  constexpr std::string_view freeze = "Freeze db: ", thaw = "Thaw db: ";
  const auto word = [&](std::size_t from) {
    return line.substr(from, line.find(' ', from) - from);
  };
  if (line.starts_with(freeze))
    return text(
        line_of(event::freeze_state{.db = word(freeze.size()), .from = "thawed", .to = "frozen"}));
  if (line.starts_with(thaw))
    return text(
        line_of(event::freeze_state{.db = word(thaw.size()), .from = "frozen", .to = "thawed"}));
  if (line == "Recovery mode set to ACTIVE")
    return text(line_of(event::recovery_mode{.from = "normal", .to = "active"}));
  if (line == "Recovery mode set to NORMAL")
    return text(line_of(event::recovery_mode{.from = "active", .to = "normal"}));
  return {};
}

sigset_t ending_signals() {
  sigset_t s;
  sigemptyset(&s);
  for (const int n : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) sigaddset(&s, n);
  return s;
}

std::expected<std::string, std::string> make_directory() {
  std::error_code problem;
  const auto above = fs::temp_directory_path(problem);
  auto path = (above / fmt::format("floe-drill-{}-XXXXXX", ::getpid())).string();
  if (!::mkdtemp(path.data()))
    return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  if (path.size() <= longest_directory) return path;
  ::rmdir(path.c_str());
  return std::unexpected(fmt::format(
      "{}: too long for sockets in it; set TMPDIR to a shorter directory", above.string()));
}

}  // namespace

real_testbed::real_testbed(real_limits l, bool keep) : limits_(std::move(l)), keep_(keep) {}

std::expected<std::unique_ptr<testbed>, std::string> real_testbed::make(const script& s,
                                                                        std::uint64_t seed,
                                                                        const real_options& w) {
  auto limits = find_limits(w);
  std::unique_ptr<real_testbed> made(new real_testbed(std::move(limits), w.keep));
  if (auto ready = made->prepare(s, seed, w); !ready) return std::unexpected(ready.error());
  return made;
}

std::expected<void, std::string> real_testbed::prepare(const script& s, std::uint64_t seed,
                                                       const real_options& w) {
  const auto ending = ending_signals();
  ::sigprocmask(SIG_BLOCK, &ending, nullptr);  // before any thread exists, so that all have it
  signals_ = ::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  adopt_orphans();
  if (!limits_.no_mounts)
    if (auto why = enter_own_mounts()) limits_.no_mounts = limits_.no_wire = *why;
  if (!limits_.no_wire) {
    auto made = wire::make(s.nodes, wire_prefix, seed);
    if (!made) return std::unexpected(made.error());
    wire_ = std::move(*made);
  }
  const auto dir = make_directory();
  if (!dir) return std::unexpected(dir.error());
  cluster_.dir = *dir;
  auto c = make_cluster(
      {.dir = *dir,
       .nodes = static_cast<std::uint32_t>(s.nodes),
       .prefix = wire_ ? wire_prefix : "",
       .elsewhere = wire_ != nullptr,
       .cluster_lock = s.cluster_lock ? "" : "none",
       .extra_settings = fmt::format(
           "{}{}\n[logging]\nlog level = INFO\n",
           s.quorum == quorum_rule::lock ? "" : fmt::format("quorum = {}\n", name(s.quorum)),
           s.freeze_all ? "freeze all first = true\n" : ""),
       .tunables = {s.tunables.begin(), s.tunables.end()}});
  if (!c) return std::unexpected(c.error());
  cluster_ = *c;
  for (std::size_t n = 0; n < s.nodes; ++n)
    if (auto ready = prepare_node(static_cast<std::uint32_t>(n), w.kinds[n], s.tunables); !ready)
      return ready;
  if (needs(s, ability::full_disk) && !limits_.no_mounts)
    if (auto ready = mount_disks(); !ready) return ready;
  loop_ = event_loop::real();
  network_ = socket_network(*loop_);
  loop_->watch(signals_, EPOLLIN, [this](std::uint32_t) {
    loop_->unwatch(signals_);
  });  // only wakes the loop: see run
  began_ = loop_->now();
  began_wall_us_ = loop_->wall_us();
  return {};
}

std::expected<void, std::string> real_testbed::prepare_node(
    std::uint32_t number, node_kind kind,
    const std::vector<std::pair<std::string, std::uint32_t>>& tunables) {
  auto& made = nodes_.emplace_back();
  made.kind = kind;
  made.logs.emplace_back(cluster_.base(number) + "/log.ctdb", kind == node_kind::floe);
  if (kind == node_kind::floe) {
    made.logs.emplace_back(cluster_.start_log(number), false);
    return {};
  }
  made.files = std::make_unique<tdb_node>();
  return prepare_ctdbd(cluster_, number, tunables);
}

/// A file system of each node's own, in memory, which can be made too small.
std::expected<void, std::string> real_testbed::mount_disks() {
  for (std::uint32_t n = 0; n < cluster_.nodes; ++n) {
    const auto where = cluster_.base(n) + "/db";
    std::error_code problem;
    fs::create_directories(where, problem);
    if (::mount("floe-drill", where.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") != 0)
      return std::unexpected(
          fmt::format("{}: no file system can be mounted: {}", where, std::strerror(errno)));
    mounts_.push_back(where);
    for (const auto* folder : {"/volatile", "/persistent", "/state"})
      fs::create_directories(where + folder, problem);
  }
  return {};
}

real_testbed::~real_testbed() { clean_up(); }

void real_testbed::clean_up() {
  for (auto& n : nodes_) n.pid = 0;
  kill_descendants();
  wire_.reset();
  for (const auto& m : std::exchange(mounts_, {})) ::umount2(m.c_str(), MNT_DETACH);
  std::error_code ignored;
  if (!cluster_.dir.empty() && !keep_) fs::remove_all(cluster_.dir, ignored);
  if (signals_ >= 0) ::close(std::exchange(signals_, -1));
}

void real_testbed::interrupted(int signal) {
  clean_up();
  ::_exit(128 + signal);
}

std::string real_testbed::kept_files(bool held) {
  keep_ |= !held;
  return keep_ ? cluster_.dir : std::string();
}

std::int64_t real_testbed::now_us() const { return in_us(loop_->now() - began_); }

bool real_testbed::run(const std::function<bool()>& done, duration limit) {
  const auto end = loop_->now() + limit;
  for (;;) {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) == sizeof info)
      interrupted(static_cast<int>(info.ssi_signo));
    look_after();
    if (done()) return true;
    const auto now = loop_->now();
    if (now >= end) return false;
    if (loop_->run_until(done, std::min<duration>(between_looks, end - now)))
      return look_after(), true;
  }
}

void real_testbed::read_logs(std::size_t n) {
  for (auto& log : nodes_[n].logs)
    log.read([&](std::int64_t wall_us, log_level level, std::string_view line) {
      if (!witness_.log) return;
      witness_.log(wall_us - began_wall_us_, n, level, line);
      if (nodes_[n].kind != node_kind::ctdbd) return;
      if (const auto event = event_in(line); !event.empty())
        witness_.log(wall_us - began_wall_us_, n, level, event);
    });
}

void real_testbed::look_after() {
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    read_logs(n);
    std::string how;
    if (nodes_[n].pid <= 0 || !ended(nodes_[n].pid, &how)) continue;
    gone(n);
    const auto why = fmt::format("node {} has ended by itself: {}", n, how);
    if (!broken_) broken_ = why;
    if (witness_.log) witness_.log(now_us(), n, log_level::error, why);
  }
}

/// Its daemon is no more: neither are its helpers.
void real_testbed::gone(std::size_t n) {
  signal_session(nodes_[n].pid, SIGKILL);
  nodes_[n].pid = 0;
  nodes_[n].paused = false;
  if (nodes_[n].files) {
    nodes_[n].files->close();
    nodes_[n].files->paused = false;
  }
  read_logs(n);
}

std::expected<void, std::string> real_testbed::start(std::size_t n) {
  const auto number = static_cast<std::uint32_t>(n);
  program p{.words = {own_program(), "node", "--base", cluster_.base(number)},
            .output = cluster_.start_log(number),
            .network = wire_ ? wire_->space(n) : -1};
  if (nodes_[n].kind == node_kind::ctdbd) {
    const auto theirs = ctdbd_program(cluster_, number);
    p.words = theirs.words;
    p.environment = theirs.environment;
    p.output = theirs.output;
  }
  const auto pid = start_daemon(p);
  if (!pid) return std::unexpected(pid.error());
  nodes_[n].pid = *pid;
  return {};
}

void real_testbed::kill(std::size_t n) {
  kill_session(nodes_[n].pid);
  gone(n);
}

bool real_testbed::shut_down(std::size_t n, duration limit) {
  ::kill(nodes_[n].pid, SIGTERM);
  const auto pid = nodes_[n].pid;
  const auto end = loop_->now() + limit;
  bool over = false;
  while (!over && loop_->now() < end) {
    loop_->run_until([] { return false; }, 5ms);
    read_logs(n);
    over = ended(pid);
  }
  if (!over) kill_session(pid);
  gone(n);
  return over;
}

void real_testbed::pause(std::size_t n) {
  signal_session(nodes_[n].pid, SIGSTOP);
  nodes_[n].paused = true;
  if (nodes_[n].files) nodes_[n].files->paused = true;
}

void real_testbed::resume(std::size_t n) {
  signal_session(nodes_[n].pid, SIGCONT);
  nodes_[n].paused = false;
  if (nodes_[n].files) nodes_[n].files->paused = false;
}

std::unique_ptr<record_access> real_testbed::records(std::size_t n, client& c) {
  if (!nodes_[n].files) return testbed::records(n, c);
  return std::make_unique<tdb_records>(*nodes_[n].files, c);
}

void real_testbed::set_disk_full(std::size_t n, bool full) {
  if (nodes_[n].full == full || mounts_.empty()) return;
  struct statvfs s {};
  std::string size = "size=50%";
  if (full && ::statvfs(mounts_[n].c_str(), &s) == 0)
    size = fmt::format("size={}", std::max<std::uint64_t>(1, s.f_blocks - s.f_bfree) * s.f_frsize);
  if (::mount("floe-drill", mounts_[n].c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV,
              size.c_str()) != 0 &&
      !broken_)
    broken_ = fmt::format("the disk of node {} cannot be made {}: {}", n, full ? "full" : "good",
                          std::strerror(errno));
  nodes_[n].full = full;
}

void real_testbed::mend_disk(std::size_t n) { set_disk_full(n, false); }

void real_testbed::cut_one_way(std::size_t from, std::size_t to) {
  if (wire_) wire_->cut(from, to);
}
void real_testbed::set_link(std::size_t from, std::size_t to, link_quality q) {
  if (wire_) wire_->set(from, to, q);
}
void real_testbed::heal() {
  if (wire_) wire_->heal();
}

}  // namespace floe::cli::drill
