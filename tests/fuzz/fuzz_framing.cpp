// The stream: the first byte picks who listens, the second how it is cut, the rest is what arrives.
// However it is cut, the same packets and errors come out, and memory stays in proportion to what
// has arrived.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "protocol/framing.hpp"
#include "tests/fuzz/check.hpp"

namespace {

using namespace floe;

struct outcome {
  std::vector<bytes> packets;
  std::vector<framing_fault> faults;
  bool operator==(const outcome&) const = default;
};

outcome receive(framing_policy policy, byte_view stream, std::size_t piece) {
  framer f(policy);
  outcome out;
  std::size_t arrived = 0;
  while (arrived < stream.size()) {
    const auto room = f.prepare(piece);
    FUZZ_CHECK(!room.empty());
    const std::size_t n = std::min({room.size(), piece, stream.size() - arrived});
    std::memcpy(room.data(), stream.data() + arrived, n);
    f.commit(n);
    arrived += n;
    FUZZ_CHECK(f.allocated() <= 4 * arrived + policy.read_buffer);
    for (;;) {
      const auto cut = f.next();
      if (!cut) {
        out.faults.push_back(cut.error().why);
        FUZZ_CHECK(!cut.error().text().empty());
        if (cut.error().fatal) return out;
        continue;
      }
      if (!*cut) break;
      out.packets.push_back(***cut);
    }
    FUZZ_CHECK(f.pending() <= arrived);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  framing_policy policy = (data[0] & 1) != 0 ? framing_policy::node() : framing_policy::client();
  if ((data[0] & 2) != 0) policy.max_packet = 4096;
  if ((data[0] & 4) != 0) policy.check_magic = false;
  // so small that packets of a fuzzer's size are collected in chunks
  policy.read_buffer = (data[0] & 8) != 0 ? 64 : 4096;
  const std::size_t piece = std::size_t{1} + data[1];
  const bytes stream(reinterpret_cast<const char*>(data) + 2, size - 2);

  const outcome pieces = receive(policy, stream, piece);
  const outcome whole = receive(policy, stream, stream.size() + 1);
  FUZZ_CHECK(pieces == whole);
  std::size_t total = 0;
  for (const bytes& p : whole.packets) total += p.size();
  FUZZ_CHECK(total <= stream.size());
  return 0;
}
