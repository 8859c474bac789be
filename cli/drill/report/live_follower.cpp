#include "cli/drill/report/live_follower.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/drill/run/drill_run.hpp"
#include "cli/say.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr auto first_after = 300ms, then_every = 100ms;

winsize terminal() {
  winsize w{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 || w.ws_row == 0)
    w = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  return w;
}

bool coloured() {
  const char* no = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(no && *no) && !(term && std::string_view(term) == "dumb");
}

}  // namespace

live_follower::live_follower(following how, const std::string& drill, std::uint64_t seed,
                             std::size_t nodes)
    : how_(how),
      board_(drill, seed, nodes),
      next_(clock::now() + first_after),
      self_(std::make_shared<live_follower*>(this)) {}

live_follower::~live_follower() {
  end();
  *self_ = nullptr;
}

void live_follower::begin(drill_run& s) {
  run_ = &s;
  // in simulation something is always said; real nodes may be silent for long
  if (how_ == following::picture && !s.cluster().loop().is_simulated()) draw_again_later();
}

void live_follower::draw_again_later() {
  run_->cluster().loop().after(then_every, [weak = std::weak_ptr(self_)] {
    const auto self = weak.lock();
    if (!self || !*self || !(*self)->run_) return;
    (*self)->draw();
    (*self)->draw_again_later();
  });
}

void live_follower::end() {
  run_ = nullptr;
  if (drawn_) clear_terminal();
  drawn_ = false;
}

void live_follower::clear_terminal() {
  std::fputs("\r\x1b[J", stderr);
  std::fflush(stderr);
}

void live_follower::line(const std::string& text) {
  if (how_ == following::nothing) return;
  const auto l = read_trace_line(text);
  if (!l) return;
  if (how_ == following::lines) {
    if (l->who == "drill") say("{:>10.3f} s  {}\n", static_cast<double>(l->t_us) / 1e6, l->text);
    return;
  }
  board_.line(*l);
  draw();
}

void live_follower::draw() {
  const auto now = clock::now();
  if (!run_ || now < next_) return;
  next_ = now + then_every;
  const auto size = terminal();
  const auto lines = board_.picture(run_->past, run_->now(), size.ws_col - 1U,
                                    std::max(2U, size.ws_row - 1U), coloured());
  std::string out = "\r";
  for (const auto& l : lines) out += l + "\x1b[0m\x1b[K\n";
  out += fmt::format("\x1b[J\x1b[{}A", lines.size());
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace floe::cli::drill
