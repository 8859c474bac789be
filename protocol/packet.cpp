#include "protocol/packet.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <type_traits>

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<raw_header>) {
  return wire::record(
      "header", wire::field("length", &raw_header::length), wire::kept("magic", &raw_header::magic),
      wire::kept("version", &raw_header::version),
      wire::field("generation", &raw_header::generation), wire::field("operation", &raw_header::op),
      wire::field("destnode", &raw_header::dest), wire::field("srcnode", &raw_header::src),
      wire::field("reqid", &raw_header::id));
}

constexpr auto layout(wire::of<req_call>) {
  return wire::record("REQ_CALL", wire::field("flags", &req_call::flags, &call_flags_text),
                      wire::field("db_id", &req_call::db),
                      wire::field("callid", &req_call::callid, &call_id_text),
                      wire::field("hopcount", &req_call::hopcount),
                      wire::sized<req_call>({"keylen", "key", &req_call::key},
                                            {"calldatalen", "calldata", &req_call::data}));
}

constexpr auto layout(wire::of<reply_call>) {
  return wire::record("REPLY_CALL", wire::field("status", &reply_call::status),
                      wire::sized("datalen", "data", &reply_call::data));
}

constexpr auto layout(wire::of<req_dmaster>) {
  return wire::record(
      "REQ_DMASTER", wire::field("db_id", &req_dmaster::db), wire::zero<4>(),
      wire::field("rsn", &req_dmaster::rsn), wire::field("dmaster", &req_dmaster::dmaster),
      wire::sized<req_dmaster>({"keylen", "key", &req_dmaster::key},
                               {"datalen", "data", &req_dmaster::data}),
      wire::optional_tail("record_flags", &req_dmaster::record_flags, &record_flags_text));
}

constexpr auto layout(wire::of<reply_dmaster>) {
  return wire::record(
      "REPLY_DMASTER", wire::field("db_id", &reply_dmaster::db), wire::zero<4>(),
      wire::field("rsn", &reply_dmaster::rsn),
      wire::sized<reply_dmaster>({"keylen", "key", &reply_dmaster::key},
                                 {"datalen", "data", &reply_dmaster::data}),
      wire::optional_tail("record_flags", &reply_dmaster::record_flags, &record_flags_text));
}

constexpr auto layout(wire::of<reply_error>) {
  return wire::record("REPLY_ERROR", wire::field("status", &reply_error::status),
                      wire::stringn("msglen", "msg", &reply_error::message));
}

constexpr auto layout(wire::of<req_message>) {
  return wire::record("REQ_MESSAGE", wire::field("srvid", &req_message::srvid),
                      wire::sized("datalen", "data", &req_message::data));
}

constexpr auto layout(wire::of<req_control>) {
  return wire::record("REQ_CONTROL",
                      wire::field("opcode", &req_control::opcode,
                                  [](std::uint64_t v) {
                                    const auto* row = find_control(static_cast<control>(v));
                                    return row != nullptr ? bytes(row->name) : bytes();
                                  }),
                      wire::zero<4>(), wire::field("srvid", &req_control::srvid),
                      wire::field("client_id", &req_control::client_id),
                      wire::field("flags", &req_control::flags, &control_flags_text),
                      wire::sized("datalen", "data", &req_control::data));
}

constexpr auto layout(wire::of<reply_control>) {
  return wire::record(
      "REPLY_CONTROL", wire::field("status", &reply_control::status),
      wire::sized<reply_control>({"datalen", "data", &reply_control::data},
                                 {"errorlen", "error", &reply_control::error, true}));
}

constexpr auto layout(wire::of<req_keepalive>) {
  return wire::record("REQ_KEEPALIVE",
                      wire::optional_tail("version", &req_keepalive::version, &version_text),
                      wire::optional_tail("uptime", &req_keepalive::uptime));
}

constexpr auto layout(wire::of<req_tunnel>) {
  return wire::record("REQ_TUNNEL", wire::field("tunnel_id", &req_tunnel::tunnel_id),
                      wire::field("flags", &req_tunnel::flags, &tunnel_flags_text),
                      wire::sized("datalen", "data", &req_tunnel::data));
}

template struct wire::codec<raw_header>;
template struct wire::codec<req_call>;
template struct wire::codec<reply_call>;
template struct wire::codec<req_dmaster>;
template struct wire::codec<reply_dmaster>;
template struct wire::codec<reply_error>;
template struct wire::codec<req_message>;
template struct wire::codec<req_control>;
template struct wire::codec<reply_control>;
template struct wire::codec<req_keepalive>;
template struct wire::codec<req_tunnel>;

namespace {

/// One row per body, in the order of the variant. A daemon allocates a C structure that ends in one
/// data byte, hence the minimum.
struct operation_row {
  operation op;
  byte_view name;
  std::size_t min_length;
};
constexpr std::array<operation_row, std::variant_size_v<packet_body>> operations{{
    {operation::req_call, "REQ_CALL", 64},
    {operation::reply_call, "REPLY_CALL", 48},
    {operation::req_dmaster, "REQ_DMASTER", 64},
    {operation::reply_dmaster, "REPLY_DMASTER", 64},
    {operation::reply_error, "REPLY_ERROR", 48},
    {operation::req_message, "REQ_MESSAGE", 48},
    {operation::req_control, "REQ_CONTROL", 64},
    {operation::reply_control, "REPLY_CONTROL", 48},
    {operation::req_keepalive, "REQ_KEEPALIVE", 40},
    {operation::req_tunnel, "REQ_TUNNEL", 56},
}};

template <class Body>
std::expected<packet, wire::error> decode_as(const raw_header& h, byte_view whole) {
  std::expected<packet, wire::error> p(std::in_place);
  p->header = {h.generation, h.dest, h.src, h.id};
  wire::reader r(whole, header_size);
  wire::codec<Body>::get(r, p->body.emplace<Body>());
  if (!r.ok()) return std::unexpected(r.why());
  return p;
}

std::size_t body_size(const packet_body& body) {
  return std::visit([](const auto& b) { return wire::encoded_size(b); }, body);
}

}  // namespace

operation operation_of(const packet_body& body) { return operations[body.index()].op; }

byte_view operation_name(operation op) {
  const auto* row = std::ranges::find(operations, op, &operation_row::op);
  return row == operations.end() ? byte_view{} : row->name;
}

std::expected<raw_header, wire::error> decode_header(byte_view whole) {
  using wire::fault;
  auto bad = [](const char* field, std::size_t offset, fault why, std::uint64_t wanted,
                std::uint64_t have) {
    return std::unexpected(wire::error{"header", field, offset, why, wanted, have});
  };
  if (whole.size() < header_size) return bad("", 0, fault::truncated, header_size, whole.size());
  static_assert(sizeof(raw_header) == header_size && std::is_trivially_copyable_v<raw_header>);
  raw_header h{};
  std::memcpy(&h, whole.data(), sizeof h);
  if (h.length != whole.size())
    return bad("length", 0, fault::length_wrong, h.length, whole.size());
  if (h.magic != packet_magic) return bad("magic", 4, fault::bad_magic, packet_magic, h.magic);
  if (h.version != protocol_version) {
    return bad("version", 8, fault::bad_version, protocol_version, h.version);
  }
  return h;
}

std::expected<packet, wire::error> decode_packet(byte_view whole) {
  const auto h = decode_header(whole);
  if (!h) return std::unexpected(h.error());
  switch (h->op) {
    case operation::req_call: return decode_as<req_call>(*h, whole);
    case operation::reply_call: return decode_as<reply_call>(*h, whole);
    case operation::req_dmaster: return decode_as<req_dmaster>(*h, whole);
    case operation::reply_dmaster: return decode_as<reply_dmaster>(*h, whole);
    case operation::reply_error: return decode_as<reply_error>(*h, whole);
    case operation::req_message: return decode_as<req_message>(*h, whole);
    case operation::req_control: return decode_as<req_control>(*h, whole);
    case operation::reply_control: return decode_as<reply_control>(*h, whole);
    case operation::req_keepalive: return decode_as<req_keepalive>(*h, whole);
    case operation::req_tunnel: return decode_as<req_tunnel>(*h, whole);
  }
  return std::unexpected(wire::error{"header", "operation", 16, wire::fault::unknown_operation, 0,
                                     static_cast<std::uint32_t>(h->op)});
}

std::size_t packet_size(const packet_body& body, padding pad) {
  const std::size_t exact = header_size + body_size(body);
  if (pad == padding::none) return exact;
  return std::max((exact + 7) & ~std::size_t{7}, operations[body.index()].min_length);
}

bytes encode_packet(const packet_header& header, const packet_body& body, padding pad) {
  const std::size_t size = packet_size(body, pad);
  assert(size <= std::numeric_limits<std::uint32_t>::max());
  const raw_header raw{static_cast<std::uint32_t>(size),
                       packet_magic,
                       protocol_version,
                       header.gen,
                       operation_of(body),
                       header.dest,
                       header.src,
                       header.id};
  bytes out;
  out.reserve(size);
  out.append(reinterpret_cast<const char*>(&raw), sizeof raw);
  std::visit([&](const auto& b) { wire::append(out, b); }, body);
  out.append(size - out.size(), '\0');
  return out;
}

}  // namespace floe
