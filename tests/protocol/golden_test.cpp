// Every packet of the captures: decodes, shows the same fields, encodes to the same bytes, has the
// computed length.
#include <doctest/doctest.h>

#include "protocol/framing.hpp"
#include "protocol/packet.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/wire/text.hpp"
#include "tests/protocol/golden.hpp"

using namespace floe;

namespace {

void blank(bytes& packet, const nlohmann::json& ranges) {
  for (const auto& r : ranges) {
    const auto offset = r.at(0).get<std::size_t>();
    const auto size = r.at(1).get<std::size_t>();
    REQUIRE(offset + size <= packet.size());
    packet.replace(offset, size, size, '\0');
  }
}

}  // namespace

TEST_CASE("the captures show what we decode") {
  std::size_t checked = 0;
  for (const auto& c : golden::all()) {
    if (!c.valid()) continue;
    INFO(c.file << " " << c.id << ": " << c.about);
    const auto json = nlohmann::json::parse(packet_to_json(c.packet, c.opcode));
    REQUIRE_MESSAGE(!json.contains("error"), json.value("error", ""));
    CHECK(json.at("op") == c.line.at("op"));
    CHECK(json.at("control") == c.line.at("control"));
    if (c.line.contains("control_name"))
      CHECK(json.at("control_name") == c.line.at("control_name"));
    CHECK(golden::difference(json.at("fields"), c.line.at("fields")) == "");
    ++checked;
  }
  CHECK(checked > 1100);
}

TEST_CASE("the captures encode to the same bytes") {
  for (const auto& c : golden::all()) {
    if (!c.valid()) continue;
    INFO(c.file << " " << c.id << ": " << c.about);
    auto again = reencode_packet(c.packet, c.opcode);
    REQUIRE(again.has_value());
    bytes original = c.packet;
    blank(original, c.line.at("uninit"));
    blank(*again, c.line.at("uninit"));
    CHECK(golden::from_hex(
              nlohmann::json::parse(packet_to_json(c.packet, c.opcode)).at("reencoded")) ==
          *reencode_packet(c.packet, c.opcode));
    // a listing of what differs says more than two packets in hex
    wire::field_list want;
    wire::field_list got;
    want.begin_object("");
    got.begin_object("");
    REQUIRE(show_packet(original, want, c.opcode).has_value());
    REQUIRE(show_packet(*again, got, c.opcode).has_value());
    CHECK(wire::difference(got, want) == "");
    CHECK((*again == original));
  }
}

TEST_CASE("a daemon's packets have the length that their contents imply") {
  for (const auto& c : golden::all()) {
    if (!c.valid() || c.hand_made()) continue;
    INFO(c.file << " " << c.id << ": " << c.about);
    const auto p = decode_packet(c.packet);
    REQUIRE(p.has_value());
    CHECK(packet_size(p->body, padding::daemon) == c.packet.size());
  }
}

TEST_CASE("packets that a daemon refuses are refused") {
  std::size_t checked = 0;
  for (const auto& c : golden::all()) {
    if (c.valid()) continue;
    INFO(c.id << ": " << c.about);
    CHECK(!decode_packet(c.packet).has_value());
    framer f(framing_policy::client());
    const auto room = f.prepare(c.packet.size());
    std::copy(c.packet.begin(), c.packet.end(), room.begin());
    f.commit(c.packet.size());
    const auto cut = f.next();
    const bool kept = c.line.at("expect").get<std::string>().find("kept") != std::string::npos;
    if (cut)
      CHECK(cut->has_value());  // well framed, refused by its contents: the connection is kept
    CHECK((cut.has_value() || !cut.error().fatal) == kept);
    ++checked;
  }
  CHECK(checked == 4);
}

TEST_CASE("every capture has a listing whose fields lie side by side") {
  for (const auto& c : golden::all()) {
    if (!c.valid()) continue;
    INFO(c.file << " " << c.id);
    wire::field_list fields;
    fields.begin_object("");
    REQUIRE(show_packet(c.packet, fields, c.opcode).has_value());
    std::vector<bool> covered(c.packet.size(), false);
    for (const auto& f : fields.fields()) {
      INFO(f.path);
      REQUIRE(f.where.offset + f.where.size <= c.packet.size());
      for (std::size_t i = f.where.offset; i < f.where.offset + f.where.size; ++i) {
        if (covered[i]) FAIL_CHECK("two fields at " << i);
        covered[i] = true;
      }
    }
    // what is left is the padding at the end
    const auto last = std::find(covered.rbegin(), covered.rend(), true);
    const auto padding_size = last - covered.rbegin();
    CHECK(std::find(last, covered.rend(), false) == covered.rend());
    CHECK(padding_size <= 8);
    CHECK(!packet_listing(c.packet, c.opcode).empty());
  }
}
