#pragma once
/// The log of one node: lines for operators, `event key=value ...`. Levels are CTDB's debug levels; an error means
/// somebody must act. At the levels NOTICE and below nobody can flood it (log_limit.hpp).
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "actors/log_target.hpp"

namespace floe {

enum class log_level : std::int32_t { error = 0, warning = 1, notice = 3, info = 5, debug = 10 };
std::string_view to_string(log_level);

class log {
 public:
  virtual ~log() = default;
  virtual void write(log_level, std::string_view line) = 0;
  virtual void set_level(std::int32_t) = 0;
  virtual std::int32_t level() const = 0;
  /// Opens its file anew, after it has been renamed. Empty, or why it goes on with the old one.
  virtual std::string reopen() { return {}; }

  void error(std::string_view s) { write(log_level::error, s); }
  void warning(std::string_view s) { write(log_level::warning, s); }
  void notice(std::string_view s) { write(log_level::notice, s); }
  void info(std::string_view s) { write(log_level::info, s); }
  void debug(std::string_view s) { write(log_level::debug, s); }
};

/// To the place that was configured; `who` ("node 2") precedes every line. Error: it cannot be opened, and why.
std::expected<std::unique_ptr<log>, std::string> open_log(const log_target&, const std::string& who, std::int32_t level);
/// Each line to a function: tests and simulations.
std::unique_ptr<log> function_log(std::function<void(log_level, std::string_view)>);

}  // namespace floe
