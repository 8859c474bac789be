#pragma once
/// A line on standard error that says for how long a command has been waiting for a node: on a terminal only, from the first second
/// on, written over and over, and gone at the end. What is not well there stands above it, once.
#include <memory>
#include <optional>
#include <string>

#include "actors/client/blocking_client.hpp"

namespace floe::cli {

class waiting_line {
 public:
  /// Shown while the loop of the client runs, until this goes. `at`: who is asked what is not well.
  /// `yields`: to another line that says more.
  waiting_line(blocking_client&, std::string what, pnn at = pnn::current, bool yields = false);
  ~waiting_line();
  waiting_line(const waiting_line&) = delete;

 private:
  void later();
  void ask();
  void show(const std::string& illness);
  /// "node 2", if it is one of several that were asked.
  std::string awaited() const;

  blocking_client& node_;
  std::string what_;
  pnn at_;
  bool yields_;
  time_point since_;
  timer_id timer_{0};
  std::string told_;  ///< what is not well, as it was said last
  bool shown_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

/// Every wait of a client has such a line, unless somebody else says already how far something is.
class waits_shown {
 public:
  waits_shown(blocking_client&, std::string what);
  ~waits_shown();
  waits_shown(const waits_shown&) = delete;

 private:
  blocking_client& node_;
  std::string what_;
  std::optional<waiting_line> now_;
};

}  // namespace floe::cli
