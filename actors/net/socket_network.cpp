/// TCP and Unix sockets on the event loop: listening, and connecting. What a connection does: socket_connection.hpp.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "actors/net/network.hpp"
#include "actors/net/socket_address.hpp"
#include "actors/net/socket_connection.hpp"

namespace floe {
namespace {

class socket_listener final : public listener {
 public:
  socket_listener(event_loop& loop, int fd, stream_limits limits, accept_fn accept,
                  std::string path)
      : loop_(loop), fd_(fd), limits_(limits), accept_(std::move(accept)), path_(std::move(path)) {
    loop_.watch(fd_, EPOLLIN, [this](std::uint32_t) { take(); });
  }
  ~socket_listener() override {
    loop_.unwatch(fd_);
    ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  endpoint where() const override {
    sockaddr_storage s{};
    socklen_t n = sizeof s;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&s), &n);
    return describe(s);
  }

 private:
  void take() {
    for (int i = 0; i < 64; ++i) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE) pause();
        return;
      }
      if (path_.empty()) set_options(fd);
      auto c = std::make_shared<socket_connection>(loop_, fd, limits_, false,
                                                   path_.empty() ? nullptr : halves_);
      auto events = accept_(c);
      if (events)
        c->open(std::move(*events));
      else
        c->close();
    }
  }
  /// Out of descriptors: the socket stays readable, so look away for a moment instead of spinning.
  void pause() {
    loop_.rewatch(fd_, 0);
    loop_.after(std::chrono::milliseconds(100), [this, alive = std::weak_ptr(alive_)] {
      if (alive.lock()) loop_.rewatch(fd_, EPOLLIN);
    });
  }

  event_loop& loop_;
  int fd_;
  stream_limits limits_;
  accept_fn accept_;
  std::string path_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::shared_ptr<half_packets> halves_ = std::make_shared<half_packets>();
};

class sockets final : public network {
 public:
  explicit sockets(event_loop& loop) : loop_(loop) {}

  std::expected<std::unique_ptr<listener>, std::string> listen(const endpoint& where,
                                                               stream_limits limits,
                                                               accept_fn accept) override {
    auto a = parse(where);
    if (!a) return std::unexpected("not an address: " + where.ip);
    const int fd = ::socket(a->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return std::unexpected(error_text("socket"));
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, a->get(), a->length) != 0 || ::listen(fd, 100) != 0)
      return refuse(fd, "cannot listen on " + to_string(where));
    return std::make_unique<socket_listener>(loop_, fd, limits, std::move(accept), "");
  }

  std::expected<std::unique_ptr<listener>, std::string> listen_local(const std::string& path,
                                                                     stream_limits limits,
                                                                     accept_fn accept) override {
    auto a = local_address(path);
    if (!a) return std::unexpected("socket path too long: " + path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return std::unexpected(error_text("socket"));
    ::unlink(path.c_str());
    const auto before = ::umask(0077);
    const bool ok = ::bind(fd, a->get(), a->length) == 0 && ::chmod(path.c_str(), 0700) == 0 &&
                    ::listen(fd, 100) == 0;
    ::umask(before);
    if (!ok) return refuse(fd, "cannot listen on " + path);
    return std::make_unique<socket_listener>(loop_, fd, limits, std::move(accept), path);
  }

  std::shared_ptr<connection> connect(const endpoint& from, const endpoint& to,
                                      stream_limits limits, connection_events events) override {
    auto local = parse(from);
    auto remote = parse(to);
    if (!local || !remote) return failed(limits, std::move(events), "not an address: " + to.ip);
    const int fd =
        ::socket(remote->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed(limits, std::move(events), error_text("socket"));
    const int on = 1;
    // the port is chosen at connect: otherwise every (address, port) pair is taken for all peers
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd, local->get(), local->length) != 0) {
      auto why = error_text("cannot bind");
      ::close(fd);
      return failed(limits, std::move(events), std::move(why));
    }
    set_options(fd);
    return start(fd, *remote, limits, std::move(events));
  }

  std::shared_ptr<connection> connect_local(const std::string& path, stream_limits limits,
                                            connection_events events) override {
    auto a = local_address(path);
    if (!a) return failed(limits, std::move(events), "socket path too long: " + path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed(limits, std::move(events), error_text("socket"));
    return start(fd, *a, limits, std::move(events));
  }

 private:
  static std::unexpected<std::string> refuse(int fd, const std::string& what) {
    auto text = error_text(what.c_str());
    ::close(fd);
    return std::unexpected(std::move(text));
  }
  std::shared_ptr<socket_connection> failed(stream_limits limits, connection_events events,
                                            std::string why) {
    loop_.post([down = std::move(events.down), why = std::move(why)] {
      if (down) down({.text = why});
    });
    return std::make_shared<socket_connection>(loop_, -1, limits, false);
  }
  std::shared_ptr<connection> start(int fd, const socket_address& to, stream_limits limits,
                                    connection_events events) {
    if (::connect(fd, to.get(), to.length) != 0 && errno != EINPROGRESS) {
      const bool refused = errno == ECONNREFUSED;
      auto why = error_text("cannot connect");
      ::close(fd);
      auto c = failed(limits, std::move(events), std::move(why));
      if (refused) c->set_nobody_listens();
      return c;
    }
    auto c = std::make_shared<socket_connection>(loop_, fd, limits, true);
    c->open(std::move(events));
    return c;
  }

  event_loop& loop_;
};

}  // namespace

descriptors::~descriptors() {
  for (const int fd : fds) ::close(fd);
}

std::string to_string(const endpoint& e) {
  return e.ip.find(':') == std::string::npos ? e.ip + ":" + std::to_string(e.port)
                                             : "[" + e.ip + "]:" + std::to_string(e.port);
}

std::unique_ptr<network> socket_network(event_loop& loop) {
  return std::make_unique<sockets>(loop);
}

}  // namespace floe
