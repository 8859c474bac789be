#pragma once
/// The log of one node: lines for operators. Levels are CTDB's debug levels; an error means somebody must act.
/// Lines that repeat (same text) within a second are counted instead of written again, so that no peer can flood it.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace floe {

enum class log_level : std::int32_t { error = 0, warning = 1, notice = 3, info = 5, debug = 10 };
std::string_view to_string(log_level);

class log {
 public:
  virtual ~log() = default;
  virtual void write(log_level, std::string_view line) = 0;
  virtual void set_level(std::int32_t) = 0;
  virtual std::int32_t level() const = 0;

  void error(std::string_view s) { write(log_level::error, s); }
  void warning(std::string_view s) { write(log_level::warning, s); }
  void notice(std::string_view s) { write(log_level::notice, s); }
  void info(std::string_view s) { write(log_level::info, s); }
  void debug(std::string_view s) { write(log_level::debug, s); }
};

/// To a file (appending) or, with an empty path, to standard error; `who` precedes every line.
std::unique_ptr<log> file_log(const std::string& path, const std::string& who, log_level);
/// Each line to a function: tests and simulations.
std::unique_ptr<log> function_log(std::function<void(log_level, std::string_view)>);

}  // namespace floe
