#pragma once
/// The id by which systemd's journal knows an event: the field MESSAGE_ID of each of its lines, and what the catalog that is
/// installed beside the program explains (`journalctl -x`). It follows from the event's name, which never changes, so it
/// need not be written down anywhere.
#include <string>
#include <string_view>

namespace floe {

/// 32 hexadecimal digits.
std::string message_id(std::string_view event_name);

}  // namespace floe
