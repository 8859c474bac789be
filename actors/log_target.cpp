#include "actors/log_target.hpp"

#include <array>

namespace floe {
namespace {

struct named {
  std::string_view text;
  log_target::kind to;
};
constexpr std::array places =
    std::to_array<named>({{"stderr", log_target::kind::standard_error},
                          {"syslog", log_target::kind::syslog},
                          {"syslog:nonblocking", log_target::kind::syslog_nonblocking},
                          {"syslog:udp", log_target::kind::syslog_udp},
                          {"syslog:udp-rfc5424", log_target::kind::syslog_udp_rfc5424},
                          {"syslog:", log_target::kind::syslog},  // as ctdbd reads it
                          {"journal", log_target::kind::journal}});

}  // namespace

std::expected<log_target, std::string> parse_log_target(std::string_view location) {
  constexpr std::string_view file = "file:";
  if (location.starts_with(file)) {
    if (location.size() == file.size())
      return std::unexpected("names no file; ctdbd would start, and its log would be lost");
    return log_target{.to = log_target::kind::file,
                      .path = std::string(location.substr(file.size()))};
  }
  for (const auto& p : places)
    if (p.text == location) return log_target{.to = p.to};
  return std::unexpected(
      "must be file:PATH, stderr, journal, syslog, syslog:nonblocking, syslog:udp or "
      "syslog:udp-rfc5424");
}

std::string to_string(const log_target& t) {
  if (t.to == log_target::kind::file) return "file:" + t.path;
  for (const auto& p : places)
    if (p.to == t.to) return std::string(p.text);
  return {};
}

}  // namespace floe
