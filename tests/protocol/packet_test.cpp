#include "protocol/packet.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "protocol/packet_print.hpp"
#include "protocol/types/all.hpp"
#include "protocol/wire/generator.hpp"
#include "protocol/wire/json.hpp"
#include "tests/protocol/golden.hpp"

using namespace floe;

namespace {

const packet_header header{generation{11}, pnn{2}, pnn{1}, reqid{0x7FFFFF38}};

template <class Body>
packet_body made(wire::generator& g) {
  return wire::codec<Body>::make(g);
}

packet_body random_body(wire::generator& g) {
  switch (g.below(10)) {
    case 0: return made<req_call>(g);
    case 1: return made<reply_call>(g);
    case 2: return made<req_dmaster>(g);
    case 3: return made<reply_dmaster>(g);
    case 4: return made<reply_error>(g);
    case 5: return made<req_message>(g);
    case 6: return made<req_control>(g);
    case 7: return made<reply_control>(g);
    case 8: return made<req_keepalive>(g);
    default: return made<req_tunnel>(g);
  }
}

/// The same packet with fewer bytes and a length field that agrees with that.
bytes shortened(const bytes& whole, std::size_t size) {
  bytes out = whole.substr(0, size);
  const auto length = static_cast<std::uint32_t>(size);
  std::memcpy(out.data(), &length, sizeof length);
  return out;
}

}  // namespace

TEST_CASE("packets decode to what was encoded, padded or not") {
  for (const std::uint64_t seed :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{std::random_device{}()}}) {
    INFO("seed " << seed);
    wire::generator g(seed);
    for (int i = 0; i < 2000; ++i) {
      const packet_body body = random_body(g);
      for (const padding pad : {padding::daemon, padding::none}) {
        const bytes whole = encode_packet(header, body, pad);
        INFO(wire::to_hex(whole));
        CHECK(whole.size() == packet_size(body, pad));
        const auto p = decode_packet(whole);
        REQUIRE(p.has_value());
        CHECK(p->header == header);
        CHECK((p->body == body));
        CHECK(operation_of(p->body) == decode_header(whole)->op);
      }
    }
  }
}

TEST_CASE("a packet that lost its end does not decode") {
  wire::generator g(23);
  for (int i = 0; i < 500; ++i) {
    const packet_body body = random_body(g);
    const bytes whole = encode_packet(header, body, padding::none);
    INFO(wire::to_hex(whole));
    for (std::size_t n = 0; n < whole.size(); ++n) {
      CHECK(!decode_packet(byte_view(whole).substr(0, n)).has_value());
      if (n < header_size) continue;
      // the fields at the end that may be missing: four bytes of record flags, and all of a
      // keepalive
      const auto p = decode_packet(shortened(whole, n));
      const bool optional_tail = std::holds_alternative<req_keepalive>(body) ||
                                 ((std::holds_alternative<req_dmaster>(body) ||
                                   std::holds_alternative<reply_dmaster>(body)) &&
                                  whole.size() - n <= 4);
      CHECK(p.has_value() == optional_tail);
    }
  }
}

TEST_CASE("empty packets of a daemon have its minimum lengths") {
  auto size = [](const packet_body& body) { return encode_packet(header, body).size(); };
  CHECK(size(req_call{}) == 64);
  CHECK(size(reply_call{}) == 48);
  CHECK(size(req_dmaster{}) == 64);
  CHECK(size(reply_dmaster{}) == 64);
  CHECK(size(reply_error{}) == 48);
  CHECK(size(req_message{}) == 48);
  CHECK(size(req_control{}) == 64);
  CHECK(size(reply_control{}) == 48);
  CHECK(size(req_keepalive{.version = 1, .uptime = 1}) == 40);
  CHECK(size(req_tunnel{}) == 56);
  CHECK(encode_packet(header, req_control{}, padding::none).size() == 60);
  CHECK(encode_packet(header, req_tunnel{}, padding::none).size() == 48);
}

TEST_CASE("padding is zero, and whatever it is does not matter") {
  const req_message m{srvid{1}, "abcde"};
  bytes whole = encode_packet(header, m);
  REQUIRE(whole.size() == 56);
  CHECK((whole.substr(49) == bytes(7, '\0')));
  whole.replace(49, 7, "garbage");
  const auto p = decode_packet(whole);
  REQUIRE(p.has_value());
  CHECK(std::get<req_message>(p->body) == m);
}

TEST_CASE("record flags are taken if there is room for them") {
  const req_dmaster with{db_id{1}, rsn{2}, pnn{3}, "key", "data", record_flag::migrated_with_data};
  const bytes whole = encode_packet(header, with, padding::none);
  CHECK(whole.size() == 60 + 7 + 4);
  const auto without = decode_packet(shortened(whole, 60 + 7 + 3));
  REQUIRE(without.has_value());
  CHECK(std::get<req_dmaster>(without->body).record_flags == std::nullopt);
  CHECK(std::get<req_dmaster>(decode_packet(whole)->body) == with);
}

TEST_CASE("a keepalive of the header alone is legal") {
  const auto p = decode_packet(encode_packet(header, req_keepalive{}, padding::none));
  REQUIRE(p.has_value());
  CHECK(std::get<req_keepalive>(p->body).version == std::nullopt);
}

TEST_CASE("what is no packet is refused with a reason") {
  bytes whole = encode_packet(header, req_control{});
  auto reason = [&] { return decode_packet(whole).error(); };
  auto set = [&](std::size_t at, std::uint32_t n) { std::memcpy(whole.data() + at, &n, sizeof n); };
  SUBCASE("magic") {
    set(4, 0x42445443);
    CHECK(reason().why == wire::fault::bad_magic);
  }
  SUBCASE("version") {
    set(8, 2);
    CHECK(reason().why == wire::fault::bad_version);
  }
  SUBCASE("operation 6, which was removed") {
    set(16, 6);
    CHECK(reason().why == wire::fault::unknown_operation);
    CHECK(reason().offset == 16);
    CHECK(reason().text() == "header.operation at offset 16: unknown operation 6");
  }
  SUBCASE("operation 11") {
    set(16, 11);
    CHECK(reason().why == wire::fault::unknown_operation);
  }
  SUBCASE("length") {
    set(0, 72);
    CHECK(reason().why == wire::fault::length_wrong);
  }
  SUBCASE("too short") {
    whole.resize(31);
    CHECK(reason().why == wire::fault::truncated);
  }
}

TEST_CASE("the parts of a decoded packet lie in its frame") {
  const bytes whole = encode_packet(header, req_call{.key = "the key", .data = "the data"});
  const auto p = decode_packet(whole);
  REQUIRE(p.has_value());
  const auto& call = std::get<req_call>(p->body);
  CHECK(call.key.data() == whole.data() + 56);
  CHECK(call.data.data() == whole.data() + 63);
}

TEST_CASE("a packet on one line") {
  const bytes map = wire::encode(vnn_map{generation{5}, {pnn{0}, pnn{2}}});
  const packet p{header, req_control{.opcode = control::setvnnmap, .data = map}};
  CHECK(packet_to_text(p) ==
        "REQ_CONTROL SETVNNMAP 1 -> 2 id=2147483448 gen=11 opcode=6(SETVNNMAP) "
        "srvid=0x0000000000000000 client_id=0 flags=0 datalen=16 data_type=\"vnn_map\" "
        "data={generation=5 size=2 map=[0 2]}");
  const packet reply{{generation::invalid, pnn{0}, pnn{1}, reqid{3}}, reply_control{.data = map}};
  CHECK(packet_to_text(reply, control::getvnnmap).find("data={generation=5") != bytes::npos);
  CHECK(packet_to_text(reply).find("data_type=\"bytes\"") != bytes::npos);
  const packet leader{{generation{1}, pnn::broadcast_connected, pnn{0}, reqid{0}},
                      req_message{srvid{0xF101000000000000}, byte_view("\xff\xff\xff\xff", 4)}};
  CHECK(
      packet_to_text(leader) ==
      "REQ_MESSAGE LEADER 0 -> BROADCAST_CONNECTED id=0 gen=1 "
      "srvid=0xf101000000000000(LEADER) datalen=4 data_type=\"u32\" data=4294967295(UNKNOWN_PNN)");
}

TEST_CASE("a packet as a listing") {
  const bytes whole = encode_packet(
      header, req_control{.opcode = control::get_dbname, .data = byte_view("\1\0\0\0", 4)});
  const bytes text = packet_listing(whole);
  CHECK(text.find("32     19000000") != bytes::npos);
  CHECK(text.find("25(GET_DBNAME)") != bytes::npos);
  CHECK(text.find("60     01000000") != bytes::npos);
}

TEST_CASE("a listing says what is wrong") {
  bytes whole = encode_packet(
      header,
      req_control{.opcode = control::setvnnmap, .data = byte_view("\5\0\0\0\3\0\0\0\0\0\0\0", 12)});
  CHECK(packet_listing(whole).ends_with(
      "vnn_map.map at offset 68: 3 entries do not fit into 4 bytes\n"));
  const std::uint32_t too_long = 17;
  std::memcpy(whole.data() + 56, &too_long, sizeof too_long);
  const bytes text = packet_listing(whole);
  CHECK(text.find("reqid") != bytes::npos);  // of the header
  CHECK(text.ends_with("REQ_CONTROL.data at offset 60: needs 17 bytes, 12 are left\n"));
  CHECK(packet_listing("short") == "header at offset 0: needs 32 bytes, 5 are left\n");
}

TEST_CASE("payloads of the captures are well formed, or wrong on purpose") {
  for (const auto& c : golden::all()) {
    if (!c.valid()) continue;
    INFO(c.id << ": " << c.about);
    const auto p = decode_packet(c.packet);
    REQUIRE(p.has_value());
    const auto bad = payload_error(*p, c.opcode);
    CHECK(bad.has_value() == (c.about.find("wrong data size on purpose") != bytes::npos));
    if (bad) CHECK(c.line.at("fields").at("data_type") == "bytes");
  }
}

TEST_CASE("a packet as JSON") {
  const bytes whole = encode_packet(header, req_control{.opcode = control::ping});
  const auto json = nlohmann::json::parse(packet_to_json(whole));
  CHECK(json.at("op") == "REQ_CONTROL");
  CHECK(json.at("control") == 3);
  CHECK(json.at("control_name") == "PING");
  CHECK(json.at("fields").at("srvid") == "0x0000000000000000");
  CHECK(json.at("fields").at("data").is_null());
  CHECK(json.at("reencoded") == wire::to_hex(whole));
  const auto broken = nlohmann::json::parse(packet_to_json(byte_view(whole).substr(0, 20)));
  CHECK(broken.at("error") == "header at offset 0: needs 32 bytes, 20 are left");
}
