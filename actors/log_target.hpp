#pragma once
/// Where a log goes, as ctdb.conf's `[logging] location` says it (Samba ctdb/common/logging.c, logging_conf.c):
///
///     file:PATH                 appended to; reopened when asked
///     stderr
///     syslog                    by syslog(3), which waits for a slow syslog daemon
///     syslog:nonblocking        to /dev/log; what does not fit at once is lost and counted
///     syslog:udp                to 127.0.0.1:514, in RFC 3164's form
///     syslog:udp-rfc5424        the same in RFC 5424's form
///     journal                   systemd's journal, with fields (floe's own)
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace floe {

struct log_target {
  enum class kind : std::uint8_t {
    standard_error,
    file,
    syslog,
    syslog_nonblocking,
    syslog_udp,
    syslog_udp_rfc5424,
    journal
  };
  kind to = kind::standard_error;
  std::string path{};  ///< of a file
  bool operator==(const log_target&) const = default;
};

/// Error: what the location must be.
std::expected<log_target, std::string> parse_log_target(std::string_view location);
/// As parse_log_target reads it.
std::string to_string(const log_target&);

}  // namespace floe
