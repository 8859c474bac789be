#include "actors/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <unordered_map>

namespace floe {
namespace {

using std::chrono::steady_clock;

class spd_log final : public log {
 public:
  spd_log(std::shared_ptr<spdlog::logger> to, log_level level)
      : to_(std::move(to)), level_(static_cast<std::int32_t>(level)) {}

  void write(log_level level, std::string_view line) override {
    if (static_cast<std::int32_t>(level) > level_) return;
    // who asks for INFO wants every event; at NOTICE no peer can flood the log
    if (level_ < static_cast<std::int32_t>(log_level::info) && repeated(line)) return;
    to_->log(as_spd(level), line);
    to_->flush();
  }
  void set_level(std::int32_t l) override { level_ = l; }
  std::int32_t level() const override { return level_; }

 private:
  struct recent {
    steady_clock::time_point since;
    unsigned swallowed = 0;
  };
  static spdlog::level::level_enum as_spd(log_level l) {
    switch (l) {
      case log_level::error: return spdlog::level::err;
      case log_level::warning: return spdlog::level::warn;
      case log_level::notice:
      case log_level::info: return spdlog::level::info;
      case log_level::debug: return spdlog::level::debug;
    }
    return spdlog::level::info;
  }
  bool repeated(std::string_view line) {
    const auto now = steady_clock::now();
    const auto hash = std::hash<std::string_view>{}(line);
    if (auto i = recent_.find(hash); i != recent_.end()) {
      if (now - i->second.since < std::chrono::seconds(1)) {
        ++i->second.swallowed;
        return true;
      }
      if (i->second.swallowed > 0)
        to_->info("the next line was repeated {} times", i->second.swallowed);
      recent_.erase(i);
    }
    if (recent_.size() > 256) recent_.clear();
    recent_.emplace(hash, recent{now});
    return false;
  }

  std::shared_ptr<spdlog::logger> to_;
  std::int32_t level_;
  std::unordered_map<std::size_t, recent> recent_;
};

class forwarding_log final : public log {
 public:
  explicit forwarding_log(std::function<void(log_level, std::string_view)> to) : to_(std::move(to)) {}
  void write(log_level l, std::string_view line) override { to_(l, line); }
  void set_level(std::int32_t l) override { level_ = l; }
  std::int32_t level() const override { return level_; }

 private:
  std::function<void(log_level, std::string_view)> to_;
  std::int32_t level_ = static_cast<std::int32_t>(log_level::notice);
};

}  // namespace

std::string_view to_string(log_level l) {
  switch (l) {
    case log_level::error: return "ERROR";
    case log_level::warning: return "WARNING";
    case log_level::notice: return "NOTICE";
    case log_level::info: return "INFO";
    case log_level::debug: return "DEBUG";
  }
  return "?";
}

std::unique_ptr<log> file_log(const std::string& path, const std::string& who, log_level level) {
  spdlog::sink_ptr sink;
  if (path.empty())
    sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  else
    sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(path);
  auto logger = std::make_shared<spdlog::logger>(who, std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%f %n %^%l%$ %v");
  return std::make_unique<spd_log>(std::move(logger), level);
}

std::unique_ptr<log> function_log(std::function<void(log_level, std::string_view)> to) {
  return std::make_unique<forwarding_log>(std::move(to));
}

}  // namespace floe
