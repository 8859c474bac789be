#pragma once
/// The places of log_target.hpp that spdlog has no sink for: syslog by datagrams, and systemd's journal with fields.
#include <spdlog/sinks/sink.h>

#include <expected>
#include <memory>
#include <string>

#include "actors/log_target.hpp"

namespace floe {

/// A sink for syslog_nonblocking, syslog_udp or syslog_udp_rfc5424. A line that cannot be sent at once is lost; the
/// number of lost ones precedes the next that can. `who` names the node in each line. Error: no socket.
std::expected<spdlog::sink_ptr, std::string> datagram_syslog(log_target::kind,
                                                             const std::string& who);

/// systemd's journal. A line `event key=value key="two words"` gets the fields FLOE_EVENT=event, FLOE_KEY=value ...
/// beside MESSAGE, PRIORITY, SYSLOG_IDENTIFIER and FLOE_NODE, so that `journalctl FLOE_EVENT=node-down` finds it.
spdlog::sink_ptr journal_sink(const std::string& who);

/// The fields of such a line, as the journal takes them ("FLOE_EVENT=node-down"); for tests.
std::vector<std::string> journal_fields(std::string_view line);

}  // namespace floe
