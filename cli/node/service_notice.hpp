#pragma once
/// What a node tells the service manager that has started it (systemd, Type=notify): READY when it answers, a line of
/// STATUS, the watchdog's food, RELOADING, STOPPING. Without a service manager nothing happens.
///
/// The watchdog is fed when the loop turns *and* the node has answered a question of ours since the last time: a process
/// that lives and does not serve is started anew.
#include <memory>
#include <string>

#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"

namespace floe::cli {

class service_notice {
 public:
  service_notice(event_loop&, address<node_message>, pnn self);
  ~service_notice();
  service_notice(const service_notice&) = delete;
  service_notice& operator=(const service_notice&) = delete;

  /// From the first answer of the node on READY has been said.
  void start();
  void reloading();
  void reloaded();
  void stopping();

 private:
  void ask();
  void answered(const std::string& status_json);

  event_loop& loop_;
  address<node_message> node_;
  pnn self_;
  duration pause_;
  timer_id timer_{0};
  bool ready_ = false;  ///< READY was said, and taken
  bool asked_ = false;  ///< a question is on its way
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// "RUNNING, recovery mode NORMAL, node 2 leads", from a node's own report; for tests.
std::string status_line(const std::string& node_status_json);

}  // namespace floe::cli
