// Fails on purpose, as soon as a control for the opcode of PING decodes: proof that a fuzzer here
// can find something.
#include <cstddef>
#include <cstdint>
#include <variant>

#include "protocol/packet.hpp"
#include "tests/fuzz/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floe;
  if (size < 4) return 0;
  const auto p = decode_packet(byte_view(reinterpret_cast<const char*>(data) + 4, size - 4));
  if (!p) return 0;
  const auto* c = std::get_if<req_control>(&p->body);
  FUZZ_CHECK(c == nullptr || c->opcode != control::ping);
  return 0;
}
