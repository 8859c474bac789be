#pragma once
/// Packets for people and tools. A reply to a control does not name its opcode; whoever knows the
/// request says it, else its data is shown as octets.
#include <expected>
#include <optional>

#include "protocol/bytes.hpp"
#include "protocol/controls.hpp"
#include "protocol/packet.hpp"
#include "protocol/wire/error.hpp"

namespace floe {

namespace wire {
class sink;
class json_writer;
}  // namespace wire

/// The type of a packet's payload as it will be shown: octets where the data has the wrong size for
/// its control, or is free. Nothing for packets without typed payload.
const wire::type_info* payload_type_of(const packet& p, std::optional<control> answered = {});

/// Why a payload is shown as octets although its control or message has a type for it; nothing if
/// it is well formed. The offset counts from the start of the packet.
std::optional<wire::error> payload_error(const packet& p, std::optional<control> answered = {});

/// Tells a sink all fields: header, body, and the payload as `data_type` and `data`.
std::expected<void, wire::error> show_packet(byte_view whole, wire::sink& s,
                                             std::optional<control> answered = {});

/// One line: "REQ_CONTROL GET_DBMAP 0 -> CURRENT_NODE id=12 gen=1 ...".
bytes packet_to_text(const packet& p, std::optional<control> answered = {});

/// An object with `op`, `control`, `control_name`, `fields` and `reencoded` (hex of our own
/// encoding), or with `error`. Numbers of 64 bits are strings of 0x and 16 digits, octets are hex;
/// see wire/json.hpp.
bytes packet_to_json(byte_view whole, std::optional<control> answered = {});
/// The same as members of the object that is open.
void packet_to_json(byte_view whole, std::optional<control> answered, wire::json_writer& out);

/// Annotated: a line per field with offset, bytes, name, value and meaning; ends with the error if
/// there is one.
bytes packet_listing(byte_view whole, std::optional<control> answered = {});

/// Decodes and encodes again, payload included; padded to the same length if the packet was longer
/// than its contents.
std::expected<bytes, wire::error> reencode_packet(byte_view whole,
                                                  std::optional<control> answered = {});

}  // namespace floe
