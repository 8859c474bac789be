/// TCP and Unix sockets on the event loop. Reads go through a framer, writes are collected while actors run and
/// handed to the kernel together before the loop waits.
#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <span>
#include <utility>

#include "actors/net/network.hpp"
#include "protocol/framing.hpp"

namespace floe {
namespace {

struct socket_address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::optional<socket_address> parse(const endpoint& e) {
  socket_address a;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&a.storage);
  if (::inet_pton(AF_INET, e.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(e.port);
    a.length = sizeof *v4;
    return a;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&a.storage);
  if (::inet_pton(AF_INET6, e.ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(e.port);
    a.length = sizeof *v6;
    return a;
  }
  return std::nullopt;
}

endpoint describe(const sockaddr_storage& s) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (s.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(s);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4.sin_port)};
  }
  if (s.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(s);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(v6.sin6_port)};
  }
  return {};
}

std::string error_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

void set_options(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/// Incomplete packets of all connections of a listener.
struct half_packets {
  std::size_t bytes = 0;
  bool freed_soon = false;

  /// The allocator would keep what they took.
  void free_soon(event_loop& loop, const std::shared_ptr<half_packets>& self) {
    if (std::exchange(freed_soon, true)) return;
    loop.after(std::chrono::seconds(1), [self] {
      self->freed_soon = false;
      ::malloc_trim(64u << 20);
    });
  }
};
constexpr std::size_t descriptors_max = 4;

void attach(msghdr& m, std::span<char> control, const descriptors& d) {
  const auto bytes_of_fds = std::min(d.fds.size(), descriptors_max) * sizeof(int);
  m.msg_control = control.data();
  m.msg_controllen = CMSG_SPACE(bytes_of_fds);
  auto* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(bytes_of_fds);
  std::memcpy(CMSG_DATA(c), d.fds.data(), bytes_of_fds);
}

class socket_connection final : public connection,
                                public std::enable_shared_from_this<socket_connection> {
 public:
  /// `halves`: of the listener that it came from, if those are limited.
  socket_connection(event_loop& loop, int fd, stream_limits limits, bool connecting,
                    std::shared_ptr<half_packets> halves = nullptr)
      : halves_(std::move(halves)),
        loop_(loop),
        fd_(fd),
        limits_(limits),
        connecting_(connecting),
        framer_(framing_policy{.max_packet = limits.max_packet,
                               .multiple_of_8 = limits.between_nodes,
                               .bad_packet_is_fatal = true}) {}
  ~socket_connection() override { close(); }

  /// Separate from construction: callbacks hold weak references to this.
  void open(connection_events events) {
    events_ = std::move(events);
    watched_ = true;
    loop_.watch(fd_, wanted(), [weak = weak_from_this()](std::uint32_t e) {
      if (auto self = weak.lock()) self->ready(e);
    });
  }

  void send(frame packet, task written) override {
    enqueue({std::move(packet), std::move(written), nullptr});
  }
  void send_along(frame packet, descriptors_ptr along) override {
    enqueue({std::move(packet), nullptr, std::move(along)});
  }
  void close() override {
    if (fd_ < 0) return;
    if (watched_) loop_.unwatch(fd_);
    ::close(fd_);
    fd_ = -1;
    queue_.clear();
    unsent_ = 0;
    if (halves_ && half_ > large_half) halves_->free_soon(loop_, halves_);
    if (halves_) halves_->bytes -= std::exchange(half_, 0);
    events_ = {};
  }
  bool nobody_listens() const override { return nobody_listens_; }
  void set_nobody_listens() { nobody_listens_ = true; }
  std::size_t unsent_bytes() const override { return unsent_; }
  endpoint peer() const override {
    sockaddr_storage s{};
    socklen_t n = sizeof s;
    if (fd_ < 0 || ::getpeername(fd_, reinterpret_cast<sockaddr*>(&s), &n) != 0) return {};
    return describe(s);
  }
  pid_t peer_pid() const override {
    ucred cred{};
    socklen_t n = sizeof cred;
    if (fd_ < 0 || ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0) return 0;
    return cred.pid;
  }
  void fail(std::string why) {
    if (fd_ < 0) return;
    auto down = std::move(events_.down);
    close();
    if (down) down(std::move(why));
  }

 private:
  struct outgoing {
    frame packet;
    task written;
    descriptors_ptr along;
  };
  static constexpr std::size_t large_half = 1u << 20;
  void enqueue(outgoing o) {
    if (fd_ < 0) return;
    unsent_ += o.packet->size();
    queue_.push_back(std::move(o));
    if (unsent_ > limits_.max_unsent) {
      loop_.post(
          [self = shared_from_this()] { self->fail("peer does not read, too much is queued"); });
      return;
    }
    if (connecting_ || waiting_to_write_ || flush_planned_) return;
    flush_planned_ = true;
    loop_.before_wait([weak = weak_from_this()] {
      if (auto self = weak.lock()) {
        self->flush_planned_ = false;
        self->flush();
      }
    });
  }
  static constexpr std::size_t read_size = 64u << 10;
  /// Reads per wake-up, so that one that is busy does not keep the others waiting: 64 kB are a thousand small requests.
  static constexpr int reads_of_peer = 16, reads_of_client = 1;
  /// A client that sends without reading its answers is not read from above this.
  static constexpr std::size_t pause_reading_at = 32u << 20;

  std::uint32_t wanted() const {
    std::uint32_t e = 0;
    if (!paused_) e |= EPOLLIN;
    if (connecting_ || waiting_to_write_) e |= EPOLLOUT;
    return e;
  }
  void ready(std::uint32_t e) {
    auto keep = shared_from_this();
    if (connecting_ && !finish_connect()) return;
    if (e & EPOLLOUT) {
      flush();
      if (fd_ < 0) return;
    }
    if (e & (EPOLLIN | EPOLLHUP | EPOLLERR)) read();
  }
  bool finish_connect() {
    int error = 0;
    socklen_t n = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &n);
    if (error != 0) {
      nobody_listens_ = error == ECONNREFUSED;
      errno = error;
      fail(error_text("cannot connect"));
      return false;
    }
    connecting_ = false;
    loop_.rewatch(fd_, wanted());
    if (events_.up) events_.up();
    return fd_ >= 0;
  }
  void read() {
    for (int i = 0, most = limits_.between_nodes ? reads_of_peer : reads_of_client;
         i < most && fd_ >= 0; ++i) {
      auto space = framer_.prepare(read_size);
      const auto n =
          events_.along ? receive_along(space) : ::recv(fd_, space.data(), space.size(), 0);
      if (n == 0) return fail("closed by peer");
      if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) return;
        return fail(error_text("read"));
      }
      framer_.commit(static_cast<std::size_t>(n));
      if (!deliver()) return;
      if (static_cast<std::size_t>(n) < space.size()) return;
    }
  }
  /// With descriptors, if some have come. A read never goes beyond the packet that they belong to, so that this is the
  /// last of those that it completes, or one that it begins.
  ssize_t receive_along(std::span<char> space) {
    iovec part{space.data(), space.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_max * sizeof(int))> control{};
    msghdr m{};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = control.data();
    m.msg_controllen = control.size();
    const auto n = ::recvmsg(fd_, &m, MSG_CMSG_CLOEXEC);
    if (n <= 0) return n;
    for (auto* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
      std::vector<int> fds((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      std::memcpy(fds.data(), CMSG_DATA(c), fds.size() * sizeof(int));
      events_.along(std::make_shared<const descriptors>(std::move(fds)));
    }
    return n;
  }
  bool deliver() {
    for (;;) {
      auto next = framer_.next();
      if (!next) {
        fail("bad packet: " + next.error().text());
        return false;
      }
      if (!*next) break;
      if (events_.packet) events_.packet(std::move(**next));
      if (fd_ < 0) return false;
    }
    if (halves_ && too_many_halves()) {
      fail("packets of many clients have begun and do not end, and this is one of them");
      return false;
    }
    if (unsent_ > pause_reading_at && !limits_.between_nodes && !paused_) {
      paused_ = true;
      loop_.rewatch(fd_, wanted());
    }
    return true;
  }
  /// One packet may be 64 MB, and not all clients may have begun one at once.
  bool too_many_halves() {
    constexpr std::size_t most = 512u << 20;
    halves_->bytes -= std::exchange(half_, framer_.pending());
    halves_->bytes += half_;
    return halves_->bytes > most && half_ > large_half;
  }
  void flush() {
    while (fd_ >= 0 && !queue_.empty()) {
      std::array<iovec, 64> parts{};
      int count = 0;
      std::size_t skip = written_of_first_;
      for (const auto& o : queue_) {
        if (count == static_cast<int>(parts.size())) break;
        // descriptors go with the first byte of their packet, and a reader must not get them with an earlier one
        if (o.along && count > 0) break;
        parts[static_cast<std::size_t>(count++)] = {const_cast<char*>(o.packet->data()) + skip,
                                                    o.packet->size() - skip};
        skip = 0;
      }
      msghdr m{};
      m.msg_iov = parts.data();
      m.msg_iovlen = static_cast<std::size_t>(count);
      alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_max * sizeof(int))> control{};
      if (queue_.front().along) attach(m, control, *queue_.front().along);
      const auto n = ::sendmsg(fd_, &m, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail(error_text("write"));
        break;
      }
      queue_.front().along.reset();
      written(static_cast<std::size_t>(n));
    }
    if (fd_ < 0) return;
    const bool wait = !queue_.empty();
    const bool resume = paused_ && unsent_ < pause_reading_at / 2;
    if (wait != waiting_to_write_ || resume) {
      waiting_to_write_ = wait;
      if (resume) paused_ = false;
      loop_.rewatch(fd_, wanted());
    }
  }
  void written(std::size_t n) {
    unsent_ -= n;
    written_of_first_ += n;
    while (!queue_.empty() && written_of_first_ >= queue_.front().packet->size()) {
      written_of_first_ -= queue_.front().packet->size();
      auto done = std::move(queue_.front().written);
      queue_.pop_front();
      if (done) done();
    }
  }

  std::shared_ptr<half_packets> halves_;
  std::size_t half_ = 0;
  event_loop& loop_;
  int fd_;
  stream_limits limits_;
  bool nobody_listens_ = false;
  bool connecting_;
  bool watched_ = false;
  bool waiting_to_write_ = false;
  bool flush_planned_ = false;
  bool paused_ = false;
  framer framer_;
  connection_events events_;
  std::deque<outgoing> queue_;
  std::size_t unsent_ = 0;
  std::size_t written_of_first_ = 0;
};

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
  static std::optional<socket_address> local_address(const std::string& path) {
    socket_address a;
    auto* u = reinterpret_cast<sockaddr_un*>(&a.storage);
    if (path.size() >= sizeof u->sun_path) return std::nullopt;
    u->sun_family = AF_UNIX;
    std::memcpy(u->sun_path, path.c_str(), path.size() + 1);
    a.length = sizeof *u;
    return a;
  }
  static std::unexpected<std::string> refuse(int fd, const std::string& what) {
    auto text = error_text(what.c_str());
    ::close(fd);
    return std::unexpected(std::move(text));
  }
  std::shared_ptr<socket_connection> failed(stream_limits limits, connection_events events,
                                            std::string why) {
    loop_.post([down = std::move(events.down), why = std::move(why)] {
      if (down) down(why);
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
