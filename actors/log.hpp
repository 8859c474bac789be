#pragma once
/// The log of one node: lines for operators, each an event of events.def. Levels are CTDB's debug levels; an error means
/// somebody must act. At the levels NOTICE and below nobody can flood it (log_limit.hpp).
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/event_line.hpp"
#include "actors/log_target.hpp"

namespace floe {

enum class log_level : std::int32_t { error = 0, warning = 1, notice = 3, info = 5, debug = 10 };
std::string_view to_string(log_level);

class log {
 public:
  virtual ~log() = default;
  /// Says an event (events.hpp), at the level of its row. There is no way to say anything else.
  template <class Event>
  void tell(const Event& e) {
    if (wants(Event::level)) write(Event::level, text(line_of(e)));
  }
  /// One that has been put on the timeline.
  void tell(const event_line&);
  virtual void set_level(std::int32_t) = 0;
  virtual std::int32_t level() const = 0;
  /// Opens its file anew, after it has been renamed. Empty, or why it goes on with the old one.
  virtual std::string reopen() { return {}; }

 protected:
  virtual void write(log_level, std::string_view line) = 0;
  /// Whether a line of this level is written at all.
  virtual bool wants(log_level) const { return true; }
};

/// To the place that was configured; `who` ("node 2") precedes every line. Error: it cannot be opened, and why.
std::expected<std::unique_ptr<log>, std::string> open_log(const log_target&, const std::string& who,
                                                          std::int32_t level);
/// Each line to a function: tests and simulations.
std::unique_ptr<log> function_log(std::function<void(log_level, std::string_view)>);

}  // namespace floe
