#include "actors/net/socket_connection.hpp"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "actors/net/socket_address.hpp"

namespace floe {
namespace {

constexpr std::size_t descriptors_max = 4;
/// From here on an incomplete packet counts where there are too many.
constexpr std::size_t large_half = 1u << 20;
constexpr std::size_t read_size = 64u << 10;
/// Reads per wake-up, so that one that is busy does not keep the others waiting: 64 kB are a thousand small requests.
constexpr int reads_of_peer = 16, reads_of_client = 1;
/// A client that sends without reading its answers is not read from above this.
constexpr std::size_t pause_reading_at = 32u << 20;

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

}  // namespace

void half_packets::free_soon(event_loop& loop, const std::shared_ptr<half_packets>& self) {
  if (std::exchange(freed_soon, true)) return;
  loop.after(std::chrono::seconds(1), [self] {
    self->freed_soon = false;
    ::malloc_trim(64u << 20);
  });
}

void set_options(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

std::string error_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

socket_connection::socket_connection(event_loop& loop, int fd, stream_limits limits,
                                     bool connecting, std::shared_ptr<half_packets> halves)
    : halves_(std::move(halves)),
      loop_(loop),
      fd_(fd),
      limits_(limits),
      connecting_(connecting),
      framer_(framing_policy{.max_packet = limits.max_packet,
                             .multiple_of_8 = limits.between_nodes,
                             .bad_packet_is_fatal = true}) {}

void socket_connection::open(connection_events events) {
  events_ = std::move(events);
  watched_ = true;
  loop_.watch(fd_, wanted(), [weak = weak_from_this()](std::uint32_t e) {
    if (auto self = weak.lock()) self->ready(e);
  });
}

void socket_connection::close() {
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

endpoint socket_connection::peer() const {
  sockaddr_storage s{};
  socklen_t n = sizeof s;
  if (fd_ < 0 || ::getpeername(fd_, reinterpret_cast<sockaddr*>(&s), &n) != 0) return {};
  return describe(s);
}

pid_t socket_connection::peer_pid() const {
  ucred cred{};
  socklen_t n = sizeof cred;
  if (fd_ < 0 || ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0) return 0;
  return cred.pid;
}

void socket_connection::fail(std::string why, close_cause cause) {
  if (fd_ < 0) return;
  auto down = std::move(events_.down);
  close();
  if (down) down({cause, std::move(why)});
}

void socket_connection::enqueue(outgoing o) {
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

std::uint32_t socket_connection::wanted() const {
  std::uint32_t e = 0;
  if (!paused_) e |= EPOLLIN;
  if (connecting_ || waiting_to_write_) e |= EPOLLOUT;
  return e;
}

/// What one sender's packets want of memory that is not there costs that connection.
void socket_connection::ready(std::uint32_t e) {
  auto keep = shared_from_this();
  try {
    transfer(e);
  } catch (const std::bad_alloc&) {
    fail("there is no memory for what it sends");
  }
}

void socket_connection::transfer(std::uint32_t e) {
  if (connecting_ && !finish_connect()) return;
  if (e & EPOLLOUT) {
    flush();
    if (fd_ < 0) return;
  }
  if (e & (EPOLLIN | EPOLLHUP | EPOLLERR)) read();
}

bool socket_connection::finish_connect() {
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

void socket_connection::read() {
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
ssize_t socket_connection::receive_along(std::span<char> space) {
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

bool socket_connection::deliver() {
  for (;;) {
    auto next = framer_.next();
    if (!next) {
      fail("bad packet: " + next.error().text(), close_cause::bad_packet);
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
bool socket_connection::too_many_halves() {
  constexpr std::size_t most = 512u << 20;
  halves_->bytes -= std::exchange(half_, framer_.pending());
  halves_->bytes += half_;
  return halves_->bytes > most && half_ > large_half;
}

void socket_connection::flush() {
  // a reader that is quick could have a hundred thousand small packets in one turn
  constexpr int writes_in_a_turn = 64;
  for (int i = 0; i < writes_in_a_turn && fd_ >= 0 && !queue_.empty(); ++i) {
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

void socket_connection::written(std::size_t n) {
  unsent_ -= n;
  written_of_first_ += n;
  while (!queue_.empty() && written_of_first_ >= queue_.front().packet->size()) {
    written_of_first_ -= queue_.front().packet->size();
    auto done = std::move(queue_.front().written);
    queue_.pop_front();
    if (done) done();
  }
}

}  // namespace floe
