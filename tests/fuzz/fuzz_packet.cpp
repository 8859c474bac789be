// Whole packets: the first four bytes say to which control a reply answers, the rest is the packet.
// Whatever decodes must print, and encode to something that decodes to the same and encodes to the
// same again.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "protocol/packet.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/wire/text.hpp"
#include "tests/fuzz/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floe;
  if (size < 8) return 0;
  std::uint32_t opcode = 0;
  std::memcpy(&opcode, data, sizeof opcode);
  bytes whole(reinterpret_cast<const char*>(data) + 4, size - 4);
  // a wrong length field would end every attempt at once; the framing's fuzzer tries those
  const auto length = static_cast<std::uint32_t>(whole.size());
  if ((whole[0] & 1) == 0) std::memcpy(whole.data(), &length, sizeof length);

  const auto answered = control{opcode};
  FUZZ_CHECK(!packet_to_json(whole, answered).empty());
  FUZZ_CHECK(!packet_listing(whole, answered).empty());
  const auto p = decode_packet(whole);
  if (!p) {
    FUZZ_CHECK(p.error().offset <= whole.size());
    FUZZ_CHECK(!p.error().text().empty());
    return 0;
  }
  FUZZ_CHECK(!packet_to_text(*p, answered).empty());
  FUZZ_CHECK(packet_size(p->body, padding::none) <= whole.size() + 1);  // the NUL of a REPLY_ERROR

  const bytes again = encode_packet(p->header, p->body);
  const auto q = decode_packet(again);
  FUZZ_CHECK(q.has_value());
  FUZZ_CHECK(q->header == p->header);
  FUZZ_CHECK(encode_packet(q->header, q->body) == again);
  const auto typed = reencode_packet(whole, answered);
  FUZZ_CHECK(typed.has_value());
  FUZZ_CHECK(reencode_packet(*typed, answered) == *typed);
  return 0;
}
