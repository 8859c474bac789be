#pragma once
/// What a service tells who has started it, as systemd documents it (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET
/// names. By itself, since libsystemd brings six libraries with it that every start of the program would load.
#include <chrono>
#include <optional>
#include <string_view>

namespace floe::cli {

bool has_service_manager();
/// Lines NAME=VALUE. To nobody if there is no manager. It is not waited for: false if it is too busy to take them, and they are lost.
bool tell_service_manager(std::string_view lines);
/// Within which it wants to hear WATCHDOG=1; nothing: it does not watch this process.
std::optional<std::chrono::microseconds> watchdog_limit();

}  // namespace floe::cli
