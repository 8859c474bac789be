#include "cli/replay/stage.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "actors/net/network.hpp"

namespace floe::cli {
namespace {

constexpr duration between_questions = std::chrono::milliseconds(2);

}  // namespace

struct stage::impl {
  std::unique_ptr<event_loop> loop = event_loop::real();
  std::unique_ptr<network> net = socket_network(*loop);
  std::vector<std::unique_ptr<client>> nodes;
  sigset_t signals{};
  int ear = -1;
  bool interrupted = false;
};

stage::stage(std::size_t nodes) : impl_(std::make_unique<impl>()) {
  sigemptyset(&impl_->signals);
  sigaddset(&impl_->signals, SIGINT);
  sigaddset(&impl_->signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &impl_->signals, nullptr);
  impl_->ear = ::signalfd(-1, &impl_->signals, SFD_CLOEXEC | SFD_NONBLOCK);
  impl_->loop->watch(impl_->ear, EPOLLIN, [this](std::uint32_t) {
    signalfd_siginfo info{};
    while (::read(impl_->ear, &info, sizeof info) == sizeof info) impl_->interrupted = true;
  });
  for (std::size_t i = 0; i < nodes; ++i)
    impl_->nodes.push_back(std::make_unique<client>(*impl_->loop, *impl_->net));
}

stage::~stage() {
  impl_->loop->unwatch(impl_->ear);
  ::close(impl_->ear);
  ::sigprocmask(SIG_UNBLOCK, &impl_->signals, nullptr);
}

result<void> stage::connect(const std::vector<std::string>& sockets, duration patience) {
  for (std::size_t i = 0; i < size(); ++i)
    node(i).connect(
        {.socket = sockets[i], .reconnect = true, .reconnect_pause = std::chrono::milliseconds(20)},
        {});
  const bool up = run_until(
      [&] {
        return std::ranges::all_of(impl_->nodes, [](const auto& n) { return n->connected(); });
      },
      patience);
  if (up) return {};
  return std::unexpected(
      client_error{client_errc::not_connected, 0, "not all nodes let us in", pnn::current});
}

event_loop& stage::loop() { return *impl_->loop; }
std::size_t stage::size() const { return impl_->nodes.size(); }
client& stage::node(std::size_t i) { return *impl_->nodes[i]; }
bool stage::interrupted() const { return impl_->interrupted; }
double stage::ms_since(time_point t) const {
  return std::chrono::duration<double, std::milli>(impl_->loop->now() - t).count();
}

bool stage::run_until(const std::function<bool()>& done, duration patience) {
  impl_->loop->run_until([&] { return impl_->interrupted || done(); }, patience);
  return !impl_->interrupted && done();
}

void stage::pause(duration d) {
  bool over = false;
  const auto alarm = loop().after(d, [&over] { over = true; });
  run_until([&over] { return over; }, d + std::chrono::seconds(1));
  loop().cancel(alarm);
}

bool stage::poll(const std::function<bool()>& pleases, duration patience) {
  const auto end = loop().now() + patience;
  while (!interrupted()) {
    if (pleases()) return true;
    if (loop().now() >= end) return false;
    pause(between_questions);
  }
  return false;
}

}  // namespace floe::cli
