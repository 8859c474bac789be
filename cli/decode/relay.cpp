#include "cli/decode/relay.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <vector>

#include "cli/context.hpp"
#include "cli/decode/stream_packets.hpp"
#include "cli/decode/unix_socket.hpp"

namespace floe::cli {
namespace {

constexpr std::size_t enough = std::size_t{1}
                               << 20;  ///< bytes that wait before their sender has to

/// One way of a connection: from one socket to the other.
struct one_way {
  int from;
  int to;
  stream_packets packets;
  bytes waiting{};     ///< read and recorded, not yet written
  bool ended = false;  ///< nothing more will be read
  bool told = false;   ///< and the receiver knows

  bool wants_to_read() const { return !ended && waiting.size() < enough; }
  bool done() const { return ended && waiting.empty(); }
  bool would_block() const { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

  void read_some() {
    char buffer[65536];
    const auto n = ::read(from, buffer, sizeof buffer);
    if (n > 0) {
      const byte_view piece(buffer, static_cast<std::size_t>(n));
      waiting.append(piece);
      packets.feed(piece);
    } else if (n == 0 || !would_block()) {
      ended = true;
    }
  }

  void write_some() {
    while (!waiting.empty()) {
      const auto n = ::send(to, waiting.data(), waiting.size(), MSG_NOSIGNAL);
      if (n > 0) {
        waiting.erase(0, static_cast<std::size_t>(n));
      } else if (would_block()) {
        return;
      } else {
        waiting.clear();  // nobody is there to read it
        ended = true;
      }
    }
    if (done() && !told) {
      ::shutdown(to, SHUT_WR);
      told = true;
    }
  }
};

struct connection {
  file_descriptor client;
  file_descriptor daemon;
  one_way up;    ///< client to daemon
  one_way down;  ///< daemon to client

  /// When the daemon is gone, so is the connection; what it said before has been delivered.
  bool over() const { return down.done() || (up.done() && down.done()); }
};

class relay_loop {
 public:
  relay_loop(int listener, int signals, const std::string& daemon_path, recorder& out)
      : listener_(listener), signals_(signals), daemon_path_(daemon_path), out_(out) {}

  std::expected<std::size_t, std::string> run() {
    for (;;) {
      std::vector<pollfd> all{{signals_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& c : connections_) {
        all.push_back(wait_for(c.client.get(), c.up, c.down));
        all.push_back(wait_for(c.daemon.get(), c.down, c.up));
      }
      if (::poll(all.data(), all.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return std::unexpected(std::string("poll: ") + std::strerror(errno));
      }
      std::size_t i = 2;
      for (auto c = connections_.begin(); c != connections_.end(); i += 2) {
        serve(*c, all[i].revents, all[i + 1].revents);
        c = c->over() ? connections_.erase(c) : std::next(c);
      }
      if (!out_.flush())
        return std::unexpected(std::string("the capture cannot be written: ") +
                               std::strerror(errno));
      if (all[0].revents != 0) return clients_;
      if (all[1].revents != 0) accept_one();
    }
  }

 private:
  /// What to wait for at the socket that `from` reads and `to` writes. One that is at its end is left out when nothing is
  /// to be done there: poll would tell of the end again and again.
  static pollfd wait_for(int fd, const one_way& from, const one_way& to) {
    const auto events = static_cast<short>((from.wants_to_read() ? POLLIN : 0) |
                                           (to.waiting.empty() ? 0 : POLLOUT));
    return {events == 0 && from.ended ? -1 : fd, events, 0};
  }

  static void serve(connection& c, short client, short daemon) {
    if (c.up.wants_to_read() && (client & (POLLIN | POLLHUP | POLLERR))) c.up.read_some();
    if (c.down.wants_to_read() && (daemon & (POLLIN | POLLHUP | POLLERR))) c.down.read_some();
    c.up.write_some();
    c.down.write_some();
    // the client is gone for good: nobody wants what the daemon still says, and poll would not rest
    if (client & (POLLHUP | POLLERR) && c.up.done()) {
      c.down.ended = true;
      c.down.waiting.clear();
    }
  }

  void accept_one() {
    file_descriptor client(::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.get() < 0) return;
    auto daemon = connect_to(daemon_path_);
    if (!daemon) {
      print_error(daemon.error());
      return;
    }
    const std::size_t number = ++clients_;
    const auto channel = fmt::format("client {} ({})", number, peer_text(client.get()));
    const auto record = [this, number, channel](seen_direction dir) {
      return [this, number, channel, dir](byte_view packet) {
        const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
        out_.packet(packet, {dir, number, channel, since.count()});
      };
    };
    const int up = client.get();
    const int down = daemon->get();
    connections_.push_back({std::move(client),
                            std::move(*daemon),
                            {up, down, stream_packets(true, record(seen_direction::to_daemon))},
                            {down, up, stream_packets(true, record(seen_direction::to_client))}});
  }

  int listener_;
  int signals_;
  const std::string& daemon_path_;
  recorder& out_;
  std::list<connection> connections_;
  std::size_t clients_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

std::expected<std::size_t, std::string> relay(const std::string& listen_path,
                                              const std::string& daemon_path, recorder& out) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  const file_descriptor signals(::signalfd(-1, &ends, SFD_CLOEXEC));
  if (signals.get() < 0) return std::unexpected(std::string("signalfd: ") + std::strerror(errno));
  auto listener = listen_on(listen_path);
  if (!listener) return std::unexpected(listener.error());
  auto result = relay_loop(listener->get(), signals.get(), daemon_path, out).run();
  ::unlink(listen_path.c_str());
  return result;
}

}  // namespace floe::cli
