#pragma once
/// Programs of the operator that are told what becomes of the node: every executable file that ends in `.script` in
/// events/notification beside ctdb.conf is run with the event as its only argument, one after the other in the order of
/// their names. Facts: Samba ctdb/config/events/notification/README.
///
///     init        the node begins
///     setup       it answers
///     startup     it is RUNNING for the first time
///     healthy     every check of its health holds (actors/node/report/health.hpp), at first and again
///     unhealthy   it was stopped, banned or disabled, or a check has failed for ten seconds
///
/// A script that takes longer than thirty seconds is killed. Without that directory nothing is asked and nothing runs.
#include <sys/types.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/report/figures.hpp"

namespace floe::cli {

/// Which event follows from what is seen of the node; asked about once a second.
class notify_rule {
 public:
  struct sight {
    bool running = false;    ///< run state
    bool taken_out = false;  ///< a flag of its own is set
    bool ready = false;
  };
  /// In the order in which they have to be told.
  std::vector<std::string_view> see(const sight&, time_point now);

 private:
  enum class told : std::uint8_t { nothing, setup, startup, healthy, unhealthy };
  told last_ = told::nothing;
  std::optional<time_point> failing_since_;
};

class notify_scripts {
 public:
  notify_scripts(event_loop&, address<node_message>, log&, std::string directory);
  ~notify_scripts();
  notify_scripts(const notify_scripts&) = delete;
  notify_scripts& operator=(const notify_scripts&) = delete;
  void start();

 private:
  void ask();
  void tell(std::string_view event);
  void run_next();
  void ended();

  event_loop& loop_;
  address<node_message> node_;
  log& log_;
  std::string directory_;
  notify_rule rule_;
  struct call {
    std::string script, event;
  };
  std::deque<call> waiting_;
  pid_t child_ = -1;  ///< of the script that runs
  int child_fd_ = -1;
  std::string running_;  ///< its name
  timer_id asking_{0}, patience_{0};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace floe::cli
