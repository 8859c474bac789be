#include "actors/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "actors/events.hpp"
#include "actors/log_limit.hpp"
#include "actors/log_sinks.hpp"

namespace floe {
namespace {

using sink_result = std::expected<spdlog::sink_ptr, std::string>;

sink_result file_sink(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && S_ISFIFO(about.st_mode))
    return std::unexpected(path + ": is a FIFO, and a node would wait for whoever reads it");
  std::FILE* trial = std::fopen(path.c_str(), "ae");  // spdlog would throw, and make folders
  if (!trial) return std::unexpected(path + ": " + std::strerror(errno));
  std::fclose(trial);
  return std::make_shared<spdlog::sinks::basic_file_sink_st>(path);
}

sink_result open_sink(const log_target& to, const std::string& who) {
  switch (to.to) {
    case log_target::kind::standard_error: return std::make_shared<spdlog::sinks::stderr_sink_st>();
    case log_target::kind::file: return file_sink(to.path);
    case log_target::kind::syslog: return syslog_sink(who);
    case log_target::kind::syslog_nonblocking:
    case log_target::kind::syslog_udp:
    case log_target::kind::syslog_udp_rfc5424:
    case log_target::kind::journal: return datagram_log(to.to, who);
  }
  return std::unexpected("no such place");
}

/// spdlog has no NOTICE: its info is ours (as_spd), and what is below it is one lower.
class level_word final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& m, const std::tm&,
              spdlog::memory_buf_t& to) override {
    const std::string_view word = m.level >= spdlog::level::err     ? "error"
                                  : m.level == spdlog::level::warn  ? "warning"
                                  : m.level == spdlog::level::info  ? "notice"
                                  : m.level == spdlog::level::debug ? "info"
                                                                    : "debug";
    to.append(word.data(), word.data() + word.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<level_word>();
  }
};

std::unique_ptr<spdlog::formatter> line_form() {
  auto form = std::make_unique<spdlog::pattern_formatter>();
  form->add_flag<level_word>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%f %n %* %v");
  return form;
}

class spd_log final : public log {
 public:
  spd_log(log_target target, spdlog::sink_ptr sink, const std::string& who, std::int32_t level)
      : target_(std::move(target)),
        to_(std::make_shared<spdlog::logger>(who, std::move(sink))),
        level_(level) {
    to_->set_level(spdlog::level::trace);
    to_->set_formatter(line_form());
  }

  void write(log_level level, std::string_view line) override {
    if (!wants(level)) return;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& [kind, lines] : limit_.left_out(now))
      to_->info(text(line_of(event::lines_left_out{.kind = kind, .lines = lines})));
    // who asks for INFO wants every event
    if (level_ < static_cast<std::int32_t>(log_level::info) && !limit_.admits(line, now))
      return to_->flush();
    to_->log(as_spd(level), line);
    to_->flush();
  }
  bool wants(log_level level) const override { return static_cast<std::int32_t>(level) <= level_; }
  void set_level(std::int32_t l) override { level_ = l; }
  std::int32_t level() const override { return level_; }
  std::string reopen() override {
    if (target_.to != log_target::kind::file) return {};
    auto sink = file_sink(target_.path);
    if (!sink) return sink.error();
    to_->sinks() = {std::move(*sink)};
    to_->set_formatter(line_form());
    return {};
  }

 private:
  static spdlog::level::level_enum as_spd(log_level l) {
    switch (l) {
      case log_level::error: return spdlog::level::err;
      case log_level::warning: return spdlog::level::warn;
      case log_level::notice: return spdlog::level::info;
      case log_level::info: return spdlog::level::debug;
      case log_level::debug: return spdlog::level::trace;
    }
    return spdlog::level::info;
  }

  log_target target_;
  std::shared_ptr<spdlog::logger> to_;
  std::int32_t level_;
  log_limit limit_;
};

class forwarding_log final : public log {
 public:
  explicit forwarding_log(std::function<void(log_level, std::string_view)> to)
      : to_(std::move(to)) {}
  void write(log_level l, std::string_view line) override { to_(l, line); }
  void set_level(std::int32_t l) override { level_ = l; }
  std::int32_t level() const override { return level_; }

 private:
  std::function<void(log_level, std::string_view)> to_;
  std::int32_t level_ = static_cast<std::int32_t>(log_level::notice);
};

}  // namespace

void log::tell(const event_line& e) {
  if (const auto level = info(e.id).level; wants(level)) write(level, text(e));
}

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

std::expected<std::unique_ptr<log>, std::string> open_log(const log_target& target,
                                                          const std::string& who,
                                                          std::int32_t level) {
  auto sink = open_sink(target, who);
  if (!sink) return std::unexpected(sink.error());
  return std::make_unique<spd_log>(target, std::move(*sink), who, level);
}

std::unique_ptr<log> function_log(std::function<void(log_level, std::string_view)> to) {
  return std::make_unique<forwarding_log>(std::move(to));
}

}  // namespace floe
