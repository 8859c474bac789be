#pragma once
/// The places of log_target.hpp that spdlog has no sink for, or none with our levels: syslog, by the system's function or
/// by datagrams, and systemd's journal with fields.
#include <spdlog/sinks/sink.h>

#include <expected>
#include <memory>
#include <string>

#include "actors/log_target.hpp"

namespace floe {

/// A sink for syslog. `who` names the node in each line.
spdlog::sink_ptr syslog_sink(const std::string& who);

/// A sink for syslog_nonblocking, syslog_udp, syslog_udp_rfc5424 or journal. A line that cannot be sent at once (to the
/// journal: within a moment) is lost; the number of lost ones precedes the next that can. A daemon that was started anew
/// is found again. `who` names the node in each line. Error: no daemon.
///
/// In the journal a line `event key=value key="two words"` has the fields MESSAGE_ID (message_id.hpp), FLOE_EVENT=event,
/// FLOE_KEY=value ... beside MESSAGE, PRIORITY, SYSLOG_IDENTIFIER and FLOE_NODE, so that `journalctl FLOE_EVENT=node-down`
/// finds it and `journalctl -x` explains it.
std::expected<spdlog::sink_ptr, std::string> datagram_log(log_target::kind, const std::string& who);

/// The fields of such a line, as the journal takes them ("FLOE_EVENT=node-down"); for tests.
std::vector<std::string> journal_fields(std::string_view line);

}  // namespace floe
