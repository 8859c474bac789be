// Input of n bytes makes us allocate at most 2 n (and a little that does not depend on it).
#include "tests/protocol/allocation.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "protocol/framing.hpp"
#include "protocol/packet.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/generator.hpp"
#include "tests/protocol/golden.hpp"
#include "tests/protocol/types_under_test.hpp"

using namespace floe;

namespace {

// malloc rounds up; a vector of one entry is a block of its own
constexpr std::size_t small_change = 256;

}  // namespace

TEST_CASE("decoding a packet allocates nothing") {
  for (const auto& c : golden::all()) {
    INFO(c.id);
    const allocation_watch watch;
    const auto p = decode_packet(c.packet);
    CHECK(p.has_value() == c.valid());
    CHECK(watch.so_far().calls == 0);
  }
}

TEST_CASE("decoding a payload allocates no more than twice its size, however its counts lie") {
  wire::generator g(5);
  for (const auto& [name, type] : types_under_test()) {
    INFO("type " << name);
    for (int i = 0; i < 300; ++i) {
      bytes value = type->generate(g);
      if (!value.empty() && g.coin()) {
        // a length, if there is one at this place, becomes huge
        const std::size_t at = g.below(value.size());
        const std::uint64_t n = g.number(4);
        std::memcpy(value.data() + at, &n, std::min<std::size_t>(4, value.size() - at));
      }
      const allocation_watch watch;
      [[maybe_unused]] const auto size = type->measure(value);
      CHECK(watch.so_far().peak <= 2 * value.size() + small_change);
    }
  }
}

TEST_CASE("walking over the records of a buffer allocates nothing") {
  rec_buffer_builder b(db_id{1});
  for (int i = 0; i < 1000; ++i) b.add("key" + std::to_string(i), {}, "some data");
  const bytes encoded = b.take();
  std::size_t found = 0;
  const allocation_watch watch;
  const auto buffer = wire::decode<rec_buffer>(encoded);
  for (const rec_data r : *buffer) found += r.as_record()->data.size();
  CHECK(watch.so_far().calls == 0);
  CHECK(found == 9000);
}

TEST_CASE("a length field alone allocates nothing") {
  framer f;
  REQUIRE(!f.prepare().empty());  // the read buffer
  bytes start = encode_packet({}, req_message{});
  const std::uint32_t huge = std::uint32_t{64} << 20;
  std::memcpy(start.data(), &huge, sizeof huge);
  const allocation_watch watch;
  auto room = f.prepare();
  REQUIRE(room.size() >= start.size());
  std::memcpy(room.data(), start.data(), start.size());
  f.commit(start.size());
  const auto cut = f.next();
  REQUIRE(cut.has_value());
  CHECK(!cut->has_value());
  CHECK(watch.so_far().peak <= small_change);
}

TEST_CASE(
    "collecting a large packet takes no more than four times what has arrived, and copies it "
    "once") {
  const bytes data(5'000'000, 'x');
  const bytes packet = encode_packet({}, req_message{srvid{1}, data});
  framer f;
  REQUIRE(!f.prepare().empty());
  const std::size_t buffer = f.allocated();
  std::size_t sent = 0;
  const allocation_watch watch;
  for (;;) {
    const auto room = f.prepare();
    const std::size_t n = std::min({room.size(), packet.size() - sent, std::size_t{10'007}});
    std::memcpy(room.data(), packet.data() + sent, n);
    f.commit(n);
    sent += n;
    auto cut = f.next();
    REQUIRE(cut.has_value());
    INFO("after " << sent);
    CHECK(watch.so_far().peak <= 4 * sent + buffer + small_change);
    if (!*cut) continue;
    CHECK((***cut == packet));
    break;
  }
  CHECK(sent == packet.size());
  // chunks of it and the frame: nothing was moved from one block to the next on the way
  CHECK(watch.so_far().total <= 2 * packet.size() + buffer + small_change);
}

TEST_CASE("many small packets cost two blocks each") {
  bytes stream;
  constexpr std::size_t packets = 500;
  for (std::size_t i = 0; i < packets; ++i) stream += encode_packet({}, req_control{});
  framer f;
  const auto room = f.prepare(stream.size());
  REQUIRE(room.size() >= stream.size());
  std::memcpy(room.data(), stream.data(), stream.size());
  f.commit(stream.size());
  std::size_t found = 0;
  const allocation_watch watch;
  while (*f.next()) ++found;
  CHECK(found == packets);
  CHECK(watch.so_far().calls <= 2 * packets);
}
