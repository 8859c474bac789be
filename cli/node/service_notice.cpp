#include "cli/node/service_notice.hpp"

#include <fmt/format.h>
#include <time.h>

#include <nlohmann/json.hpp>

#include "cli/node/service_manager.hpp"

namespace floe::cli {
namespace {

using json = nlohmann::json;

constexpr duration usual_pause = std::chrono::seconds(1);

/// Half of what the service manager allows, at most a second.
duration pause_of_watchdog() {
  const auto limit = watchdog_limit();
  return limit ? std::min<duration>(usual_pause, *limit / 2) : usual_pause;
}

std::string monotonic_now_us() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::to_string(static_cast<std::int64_t>(t.tv_sec) * 1'000'000 + t.tv_nsec / 1000);
}

/// "recovering locking.tdb (pull), 3 of 20 databases done", as far as the report knows.
std::string recovery_text(const json& recovery) {
  if (!recovery.is_object()) return {};
  std::size_t done = 0, all = 0;
  std::string busy;
  for (const auto& d : recovery.value("databases", json::array())) {
    ++all;
    const auto phase = d.value("phase", "");
    if (phase == "done" || d.value("done", false))
      ++done;
    else if (busy.empty())
      busy = fmt::format(": {} in phase {}", d.value("name", "?"), phase);
  }
  return all == 0 ? ", recovery begins"
                  : fmt::format(", {} of {} databases recovered{}", done, all, busy);
}

}  // namespace

std::string status_line(const std::string& text) {
  const auto report = json::parse(text, nullptr, false);
  if (!report.is_object()) return "the node's report cannot be read";
  const auto& leader = report.contains("leader") ? report["leader"] : json();
  auto line = fmt::format(
      "{}, recovery mode {}, {}", report.value("runstate", "?"), report.value("recovery_mode", "?"),
      leader.is_number() ? fmt::format("node {} leads", leader.get<std::uint32_t>()) : "no leader");
  if (report.contains("recovery")) line += recovery_text(report["recovery"]);
  if (const auto warnings = report.value("warnings", json::array()); !warnings.empty())
    line += fmt::format("; {}", warnings.front().get<std::string>());
  return line;
}

service_notice::service_notice(event_loop& loop, address<node_message> node, pnn self)
    : loop_(loop), node_(std::move(node)), self_(self), pause_(pause_of_watchdog()) {}

service_notice::~service_notice() {
  *alive_ = false;
  loop_.cancel(timer_);
}

void service_notice::start() {
  if (has_service_manager()) ask();
}

/// One question at a time: while it is not answered the watchdog gets nothing.
void service_notice::ask() {
  timer_ = loop_.after(pause_, [this] { ask(); });
  if (std::exchange(asked_, true)) return;
  node_.tell(call_control{.to = self_,
                          .opcode = control::get_node_status,
                          .data = {},
                          .patience = std::chrono::minutes(10),
                          .answer = replier([this, alive = alive_](const control_answer& a) {
                            if (*alive) answered(a.status == 0 ? a.data : bytes());
                          })});
}

void service_notice::answered(const std::string& report) {
  asked_ = false;
  if (report.empty()) return;
  tell_service_manager("WATCHDOG=1\nSTATUS=" + status_line(report));
  if (!ready_) ready_ = tell_service_manager("READY=1");
}

void service_notice::reloading() {
  tell_service_manager("RELOADING=1\nMONOTONIC_USEC=" + monotonic_now_us());
}
void service_notice::reloaded() {
  if (ready_) ready_ = tell_service_manager("READY=1");
}
void service_notice::stopping() { tell_service_manager("STOPPING=1\nSTATUS=ends"); }

}  // namespace floe::cli
