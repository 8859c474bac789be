#include "actors/clib/connect.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace floe::clib {
namespace {

/// A file server's thread acts for its user; the socket of the node is root's. The raw call changes this thread alone,
/// glibc's own would change all.
class rooted {
 public:
  explicit rooted(bool wanted) : user_(::geteuid()) {
    if (!wanted || user_ == 0) return;
    changed_ = ::syscall(SYS_setresuid, -1, 0, -1) == 0;
  }
  ~rooted() {
    // to go on as root would be worse than to end
    if (changed_ && ::syscall(SYS_setresuid, -1, user_, -1) != 0) ::abort();
  }
  rooted(const rooted&) = delete;

 private:
  uid_t user_;
  bool changed_ = false;
};

constexpr auto short_pause = std::chrono::milliseconds(5);

}  // namespace

std::string words(const char* what, int error) {
  return std::string(what) + ": " + std::strerror(error);
}

bool wait_for(int fd, short events, const limit& until) {
  for (;;) {
    pollfd p{fd, events, 0};
    const int n = ::poll(&p, 1, milliseconds_left(until));
    if (n > 0) return true;
    if (n == 0 || passed(until)) return false;
  }
}

outcome<int> connect_to(const std::string& socket, bool as_root, limit until) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (socket.empty() || socket.size() >= sizeof a.sun_path)
    return failed(FLOE_EINVAL, "no path of a Unix socket: `" + socket + "`");
  std::memcpy(a.sun_path, socket.data(), socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failed(FLOE_ENOTCONN, words("socket", errno));
  const auto give_up = [&](int code, std::string why) {
    ::close(fd);
    return failed(code, std::move(why));
  };
  const rooted for_now(as_root);
  while (::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) {
    // EAGAIN: more clients than the node has accepted yet
    if (errno != EAGAIN && errno != EINTR)
      return give_up(FLOE_ENOTCONN, words(socket.c_str(), errno));
    if (passed(until)) return give_up(FLOE_ETIMEOUT, socket + ": the node accepts no connections");
    std::this_thread::sleep_for(short_pause);
  }
  return fd;
}

}  // namespace floe::clib
