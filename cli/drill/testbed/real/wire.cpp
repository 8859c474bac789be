#include "cli/drill/testbed/real/wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace floe::cli::drill {
namespace {

using clock = std::chrono::steady_clock;

constexpr const char* own_space = "/proc/thread-self/ns/net";
constexpr int packet_bytes = 9000;
/// A line that is slower than its senders loses packets, as a router does; TCP slows down then.
constexpr duration longest_queue = std::chrono::seconds(2);

std::string problem(const char* what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

bool raise(int socket, ifreq& r) {
  if (::ioctl(socket, SIOCGIFFLAGS, &r) != 0) return false;
  r.ifr_flags = static_cast<short>(r.ifr_flags | IFF_UP);
  return ::ioctl(socket, SIOCSIFFLAGS, &r) == 0;
}

bool set_address(int socket, ifreq& r, unsigned long request, const std::string& ip) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  ::inet_pton(AF_INET, ip.c_str(), &a.sin_addr);
  std::memcpy(&r.ifr_addr, &a, sizeof a);
  return ::ioctl(socket, request, &r) == 0;
}

/// The interface of the namespace that we are in; -1: errno says why not.
int make_device(const std::string& ip) {
  const bool loopback = raise_loopback();
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int device = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  ifreq r{};
  bool good = loopback && s >= 0 && device >= 0;
  std::strncpy(r.ifr_name, "floe0", IFNAMSIZ - 1);
  r.ifr_flags = IFF_TUN | IFF_NO_PI;
  good = good && ::ioctl(device, TUNSETIFF, &r) == 0;
  good = good && set_address(s, r, SIOCSIFADDR, ip) &&
         set_address(s, r, SIOCSIFNETMASK, "255.255.255.0");
  r.ifr_mtu = packet_bytes;
  good = good && ::ioctl(s, SIOCSIFMTU, &r) == 0 && raise(s, r);
  const int why = errno;
  if (s >= 0) ::close(s);
  if (!good && device >= 0) ::close(device);
  errno = why;
  return good ? device : -1;
}

}  // namespace

bool raise_loopback() {
  ifreq r{};
  std::strncpy(r.ifr_name, "lo", IFNAMSIZ - 1);
  const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool good = s >= 0 && raise(s, r);
  const int why = errno;
  if (s >= 0) ::close(s);
  errno = why;
  return good;
}

visit::visit(int space) {
  if (space < 0) return;
  home_ = ::open(own_space, O_RDONLY | O_CLOEXEC);
  if (home_ >= 0 && ::setns(space, CLONE_NEWNET) == 0) return;
  if (home_ >= 0) ::close(home_);
  home_ = -1;
}

visit::~visit() {
  if (home_ < 0) return;
  if (::setns(home_, CLONE_NEWNET) != 0)
    std::abort();  // everything that follows would be elsewhere
  ::close(home_);
}

std::expected<std::unique_ptr<wire>, std::string> wire::make(std::size_t nodes,
                                                             const std::string& prefix,
                                                             std::uint64_t seed) {
  std::unique_ptr<wire> w(new wire(seed));
  w->links_.resize(nodes * nodes);
  for (std::size_t n = 0; n < nodes; ++n) {
    const int home = ::open(own_space, O_RDONLY | O_CLOEXEC);
    if (home < 0) return std::unexpected(problem(own_space));
    if (::unshare(CLONE_NEWNET) != 0) {
      const auto why = problem("a network namespace cannot be made");
      ::close(home);
      return std::unexpected(why);
    }
    end e{.space = ::open(own_space, O_RDONLY | O_CLOEXEC),
          .device = make_device(fmt::format("{}.{}", prefix, n + 1))};
    const auto why = problem("a TUN device cannot be made");
    const bool back = ::setns(home, CLONE_NEWNET) == 0;
    ::close(home);
    w->ends_.push_back(e);
    if (e.space < 0 || e.device < 0 || !back) return std::unexpected(why);
  }
  w->stop_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  w->thread_ = std::thread([p = w.get()] { p->work(); });
  return w;
}

wire::~wire() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    (void)!::write(stop_, &one, sizeof one);
    thread_.join();
  }
  if (stop_ >= 0) ::close(stop_);
  for (const auto& e : ends_)
    for (const int fd : {e.space, e.device})
      if (fd >= 0) ::close(fd);
}

void wire::cut(std::size_t from, std::size_t to) {
  const std::lock_guard held(lock_);
  between(from, to).cut = true;
}

void wire::set(std::size_t from, std::size_t to, link_quality q) {
  const std::lock_guard held(lock_);
  between(from, to).quality = q;
}

void wire::heal() {
  const std::lock_guard held(lock_);
  for (auto& l : links_) l = {.last = l.last};
}

std::uint64_t wire::packets() const {
  const std::lock_guard held(lock_);
  return passed_;
}

void wire::work() {
  std::vector<pollfd> fds;
  for (const auto& e : ends_) fds.push_back({e.device, POLLIN, 0});
  fds.push_back({stop_, POLLIN, 0});
  std::vector<char> buffer(static_cast<std::size_t>(packet_bytes) + 64);
  for (;;) {
    timespec wait{}, *limit = nullptr;
    if (!under_way_.empty()) {
      const auto left = std::max<duration>(under_way_.top().due - clock::now(), duration{0});
      wait.tv_sec = left / std::chrono::seconds(1);
      wait.tv_nsec = static_cast<long>((left % std::chrono::seconds(1)).count());
      limit = &wait;
    }
    if (::ppoll(fds.data(), fds.size(), limit, nullptr) < 0 && errno != EINTR) return;
    if (fds.back().revents) return;
    for (std::size_t n = 0; n < ends_.size(); ++n)
      for (int i = 0; i < 64; ++i) {
        const auto size = ::read(ends_[n].device, buffer.data(), buffer.size());
        if (size <= 0) break;
        take(n, buffer.data(), static_cast<std::size_t>(size));
      }
    deliver(clock::now());
  }
}

/// IPv4 only: the destination stands at octet 16, and its last octet is the node's number + 1.
void wire::take(std::size_t from, const char* packet, std::size_t size) {
  constexpr std::size_t header = 20, last_octet = 19;
  if (size < header || (static_cast<unsigned char>(packet[0]) >> 4) != 4) return;
  const std::size_t to = static_cast<unsigned char>(packet[last_octet]) - std::size_t{1};
  if (to >= ends_.size() || to == from) return;
  const std::lock_guard held(lock_);
  auto& l = between(from, to);
  if (l.cut) return;
  const auto& q = l.quality;
  std::uniform_real_distribution<double> part(0, 1);
  if (q.loss > 0 && part(chance_) < q.loss) return;
  const auto now = clock::now();
  auto due = now;
  if (q.bytes_per_second > 0) {
    l.free = std::max(l.free, now);
    if (l.free - now > longest_queue) return;
    l.free += duration(static_cast<std::int64_t>(1e9 * static_cast<double>(size) /
                                                 static_cast<double>(q.bytes_per_second)));
    due = l.free;
  }
  if (q.delay > duration{0})
    due += duration(
        static_cast<std::int64_t>((0.5 + part(chance_)) * static_cast<double>(q.delay.count())));
  l.last = due = std::max(due, l.last);
  ++passed_;
  under_way_.push({due, passed_, to, std::vector<char>(packet, packet + size)});
}

void wire::deliver(time_point now) {
  for (; !under_way_.empty() && under_way_.top().due <= now; under_way_.pop()) {
    const auto& f = under_way_.top();
    (void)!::write(ends_[f.to].device, f.packet.data(),
                   f.packet.size());  // a full device loses it: TCP knows that
  }
}

}  // namespace floe::cli::drill
