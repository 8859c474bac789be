#pragma once
/// Packets: a header of 32 bytes and one of ten bodies. decode_packet gives views into the frame,
/// so the frame must outlive what it decoded to. Facts: Samba ctdb/protocol/protocol_header.c and
/// protocol_call.c, protocol_message.c, protocol_control.c, protocol_keepalive.c,
/// protocol_tunnel.c.
///
/// A packet may be longer than its contents: daemons round its length up to a multiple of 8 (with a
/// minimum per operation, see encode_packet), smbd does not. No length of data is ever derived from
/// the length of the packet.
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "protocol/bytes.hpp"
#include "protocol/controls.hpp"
#include "protocol/ids.hpp"
#include "protocol/wire/error.hpp"

namespace floe {

constexpr std::size_t header_size = 32;
constexpr std::uint32_t packet_magic = 0x43544442;
constexpr std::uint32_t protocol_version = 1;

enum class operation : std::uint32_t {
  req_call = 0,
  reply_call = 1,
  req_dmaster = 2,
  reply_dmaster = 3,
  reply_error = 4,
  req_message = 5,
  req_control = 7,
  reply_control = 8,
  req_keepalive = 9,
  req_tunnel = 10,
};

/// What every packet begins with; length, magic, version and operation are added by encode_packet.
struct packet_header {
  generation gen = generation::invalid;
  pnn dest{0};
  pnn src{0};
  reqid id{0};
  bool operator==(const packet_header&) const = default;
};

/// Bring me this record.
struct req_call {
  std::uint32_t flags = 0;  ///< call_flag bits
  db_id db{0};
  std::uint32_t callid = 0;    ///< call_id
  std::uint32_t hopcount = 0;  ///< 0 from a client, one more by each forwarding node
  byte_view key;
  byte_view data;
  bool operator==(const req_call&) const = default;
};

struct reply_call {
  std::int32_t status = 0;
  byte_view data;  ///< nothing, the record's data, or header and data, depending on the callid
  bool operator==(const reply_call&) const = default;
};

/// The record's holder hands it over, by way of the lmaster.
struct req_dmaster {
  db_id db{0};
  floe::rsn rsn{0};
  pnn dmaster{0};  ///< the new one
  byte_view key;
  byte_view data;  ///< without header
  std::optional<std::uint32_t>
      record_flags;  ///< not counted by any length; daemons of our time always send it
  bool operator==(const req_dmaster&) const = default;
};

/// The record arrives at its new dmaster.
struct reply_dmaster {
  db_id db{0};
  floe::rsn rsn{0};
  byte_view key;
  byte_view data;
  std::optional<std::uint32_t> record_flags;
  bool operator==(const reply_dmaster&) const = default;
};

/// A call was refused.
struct reply_error {
  std::int32_t status = -1;
  byte_view message;  ///< on the wire with a NUL
  bool operator==(const reply_error&) const = default;
};

struct req_message {
  floe::srvid srvid{0};
  byte_view data;  ///< see messages.hpp
  bool operator==(const req_message&) const = default;
};

struct req_control {
  control opcode{0};
  floe::srvid srvid{0};  ///< argument of the controls that say so, else 0
  std::uint32_t client_id =
      0;  ///< from a client 0; a node that passes a control on puts its id of the client here
  std::uint32_t flags = 0;  ///< control_flag bits
  byte_view data;           ///< see controls.hpp
  bool operator==(const req_control&) const = default;
};

/// Does not say to which opcode it belongs: remember that by the reqid.
struct reply_control {
  std::int32_t status = 0;  ///< 0 good, negative error; some controls return a value here
  byte_view data;
  byte_view error;  ///< a text; from a daemon without NUL
  bool operator==(const reply_control&) const = default;
};

/// Sign of life. Very old daemons send the header alone.
struct req_keepalive {
  std::optional<std::uint32_t> version;  ///< major in the upper, minor in the lower half
  std::optional<std::uint32_t> uptime;   ///< seconds
  bool operator==(const req_keepalive&) const = default;
};

struct req_tunnel {
  std::uint64_t tunnel_id = 0;
  std::uint32_t flags = 0;  ///< tunnel_flag bits
  byte_view data;
  bool operator==(const req_tunnel&) const = default;
};

using packet_body =
    std::variant<req_call, reply_call, req_dmaster, reply_dmaster, reply_error, req_message,
                 req_control, reply_control, req_keepalive, req_tunnel>;

struct packet {
  packet_header header;
  packet_body body;
  bool operator==(const packet&) const = default;
};

operation operation_of(const packet_body& body);
/// "REQ_CALL"; empty for a number that is no operation.
byte_view operation_name(operation op);

/// The first 32 bytes, as they are.
struct raw_header {
  static constexpr std::size_t wire_size = header_size;
  std::uint32_t length, magic, version;
  floe::generation generation;
  operation op;
  pnn dest, src;
  reqid id;
};
/// Checks length (against the size of the frame), magic and version, but not the operation.
std::expected<raw_header, wire::error> decode_header(byte_view whole);

/// `whole` is one packet, length field to the last padding byte. What is behind the contents is
/// ignored.
std::expected<packet, wire::error> decode_packet(byte_view whole);

enum class padding : std::uint8_t {
  daemon,  ///< what ctdbd and the ctdb tool send: a multiple of 8, never less than the operation's
           ///< minimum
  none,    ///< what smbd sends: no byte more than needed
};
bytes encode_packet(const packet_header& header, const packet_body& body,
                    padding pad = padding::daemon);
/// Its length without encoding it.
std::size_t packet_size(const packet_body& body, padding pad = padding::daemon);

}  // namespace floe
