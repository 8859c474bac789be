// The framing gives back the packets that were sent, however the stream cuts them, and says what is
// wrong with others.
#include "protocol/framing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "protocol/packet.hpp"
#include "tests/protocol/golden.hpp"

using namespace floe;

namespace {

/// Feeds bytes in pieces of at most `piece` and collects what comes out.
struct receiver {
  explicit receiver(framing_policy policy) : in(policy) {}

  void feed(byte_view data, std::size_t piece) {
    while (!data.empty()) {
      const auto room = in.prepare(piece);
      REQUIRE(!room.empty());
      const std::size_t n = std::min({room.size(), data.size(), piece});
      std::memcpy(room.data(), data.data(), n);
      in.commit(n);
      data.remove_prefix(n);
      if (!drain()) return;
    }
  }
  /// False after a fatal error.
  bool drain() {
    for (;;) {
      const auto cut = in.next();
      if (!cut) {
        errors.push_back(cut.error());
        if (cut.error().fatal) return false;
        continue;
      }
      if (!*cut) return true;
      packets.push_back(***cut);
    }
  }

  framer in;
  std::vector<bytes> packets;
  std::vector<framing_error> errors;
};

bytes with_length(std::uint32_t length, std::size_t size = 64) {
  bytes p = encode_packet({}, req_control{});
  p.resize(size, '\0');
  std::memcpy(p.data(), &length, std::min<std::size_t>(4, size));
  return p;
}

receiver received(framing_policy policy, byte_view stream, std::size_t piece = 1 << 20) {
  receiver r(policy);
  r.feed(stream, piece);
  return r;
}

std::vector<bytes> good_captures(std::size_t max_size) {
  std::vector<bytes> out;
  for (const auto& c : golden::all()) {
    if (c.valid() && c.packet.size() <= max_size) out.push_back(c.packet);
  }
  return out;
}

bytes joined(const std::vector<bytes>& packets) {
  bytes out;
  for (const bytes& p : packets) out += p;
  return out;
}

}  // namespace

TEST_CASE("several packets, cut at every position") {
  std::vector<bytes> packets = good_captures(200);
  packets.resize(12);
  const bytes stream = joined(packets);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    receiver r(framing_policy::client());
    r.feed(byte_view(stream).substr(0, cut), stream.size());
    r.feed(byte_view(stream).substr(cut), stream.size());
    INFO("cut at " << cut);
    CHECK(r.errors.empty());
    CHECK((r.packets == packets));
    CHECK(r.in.pending() == 0);
  }
}

TEST_CASE("all captures as one stream, in pieces of many sizes") {
  const auto packets = good_captures(1 << 20);
  const bytes stream = joined(packets);
  for (const std::size_t piece : {1, 2, 3, 7, 31, 64, 1000, 4096, 65536, 1 << 24}) {
    INFO("pieces of " << piece);
    const auto r = received(framing_policy::client(), stream, piece);
    CHECK(r.errors.empty());
    CHECK((r.packets == packets));
  }
}

TEST_CASE("large and small packets in random pieces") {
  for (const std::uint64_t seed :
       {std::uint64_t{3}, std::uint64_t{17}, std::uint64_t{std::random_device{}()}}) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    std::vector<bytes> packets;
    for (int i = 0; i < 40; ++i) {
      const std::size_t size = i % 4 == 0   ? random() % 400'000
                               : i % 4 == 1 ? 32'600 + random() % 300
                                            : random() % 300;
      bytes data(size, '\0');
      for (char& c : data) c = static_cast<char>(random());
      packets.push_back(
          encode_packet({.id = reqid{static_cast<std::uint32_t>(i)}}, req_message{srvid{1}, data}));
    }
    const bytes stream = joined(packets);
    receiver r(framing_policy::node());
    for (byte_view left = stream; !left.empty();) {
      const std::size_t n = std::min<std::size_t>(left.size(), 1 + random() % 100'000);
      r.feed(left.substr(0, n), 1 + random() % 70'000);
      left.remove_prefix(n);
    }
    CHECK(r.errors.empty());
    CHECK((r.packets == packets));
  }
}

TEST_CASE("a frame outlives the framer and what came after it") {
  frame kept;
  const bytes packet = encode_packet({.id = reqid{77}}, req_control{});
  {
    framer f;
    for (int i = 0; i < 3000; ++i) {
      const auto room = f.prepare(packet.size());
      std::memcpy(room.data(), packet.data(), packet.size());
      f.commit(packet.size());
      auto cut = f.next();
      REQUIRE(cut.has_value());
      REQUIRE(cut->has_value());
      if (i == 0) kept = **cut;
    }
  }
  CHECK((*kept == packet));
}

TEST_CASE("a length that does not count itself ends any connection") {
  for (const auto policy : {framing_policy::node(), framing_policy::client()}) {
    for (const std::uint32_t length : {0u, 1u, 2u, 3u}) {
      const auto r = received(policy, with_length(length));
      REQUIRE(r.errors.size() == 1);
      CHECK(r.errors[0].why == framing_fault::no_length);
      CHECK(r.errors[0].fatal);
    }
  }
}

TEST_CASE("lengths above the limit end any connection, before anything of them is read") {
  for (const auto policy : {framing_policy::node(), framing_policy::client()}) {
    for (const std::uint32_t length :
         {0x04000008u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFF8u, 0xFFFFFFFFu}) {
      const auto r = received(policy, with_length(length, 4));
      REQUIRE(r.errors.size() == 1);
      CHECK(r.errors[0].why == framing_fault::too_large);
      CHECK(r.errors[0].fatal);
      CHECK(r.errors[0].text().find(std::to_string(length)) != std::string::npos);
    }
  }
  const auto own = received({.max_packet = 100}, with_length(104, 104));
  REQUIRE(own.errors.size() == 1);
  CHECK(own.errors[0].why == framing_fault::too_large);
}

TEST_CASE("a packet below a header: a client's is skipped, a node's ends the connection") {
  const bytes good = encode_packet({.id = reqid{5}}, req_control{});
  for (const std::uint32_t length : {4u, 7u, 20u, 31u}) {
    const bytes stream = with_length(length, length) + good;
    for (const std::size_t piece : {1, 3, 1000}) {
      const auto client = received(framing_policy::client(), stream, piece);
      REQUIRE(client.errors.size() == 1);
      CHECK(client.errors[0].why == framing_fault::too_short);
      REQUIRE(client.packets.size() == 1);
      CHECK((client.packets[0] == good));
      const auto node = received(framing_policy::node(), stream, piece);
      REQUIRE(node.errors.size() == 1);
      CHECK(node.errors[0].fatal);
      CHECK(node.packets.empty());
    }
  }
}

TEST_CASE("a packet that is none of ours: a client's is skipped, a node's ends the connection") {
  const bytes good = encode_packet({.id = reqid{5}}, req_control{});
  for (const std::size_t at : {4, 8}) {
    bytes bad = encode_packet({}, req_message{srvid{1}, bytes(100'000, 'x')});
    bad[at] = '?';
    const bytes stream = bad + good;
    for (const std::size_t piece : {1, 13, 1000, 1'000'000}) {
      const auto client = received(framing_policy::client(), stream, piece);
      REQUIRE(client.errors.size() == 1);
      CHECK(client.errors[0].why ==
            (at == 4 ? framing_fault::bad_magic : framing_fault::bad_version));
      REQUIRE(client.packets.size() == 1);
      CHECK((client.packets[0] == good));
      const auto node = received(framing_policy::node(), stream, piece);
      REQUIRE(node.errors.size() == 1);
      CHECK(node.errors[0].fatal);
    }
  }
}

TEST_CASE("a length that is no multiple of 8 is smbd's right, not a node's") {
  const bytes odd = encode_packet({}, req_message{srvid{1}, "x"}, padding::none);
  REQUIRE(odd.size() == 45);
  CHECK(received(framing_policy::client(), odd).packets.size() == 1);
  const auto node = received(framing_policy::node(), odd);
  REQUIRE(node.errors.size() == 1);
  CHECK(node.errors[0].why == framing_fault::not_multiple_of_8);
  CHECK(node.errors[0].fatal);
}

TEST_CASE("after a fatal error there are only errors") {
  auto r = received(framing_policy::client(), with_length(0));
  CHECK(!r.in.next().has_value());
  CHECK(!r.in.next().has_value());
}

TEST_CASE("random bytes end in packets or errors, never in anything else") {
  for (const std::uint64_t seed :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{std::random_device{}()}}) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 300; ++i) {
      bytes noise(random() % 2000, '\0');
      for (char& c : noise) c = static_cast<char>(random());
      // sometimes with a length that leads on
      const std::uint32_t length = static_cast<std::uint32_t>(random() % 200);
      if (noise.size() >= 4 && i % 2 == 0) std::memcpy(noise.data(), &length, 4);
      const auto r = received(i % 3 == 0 ? framing_policy::node() : framing_policy::client(), noise,
                              1 + random() % 50);
      CHECK(r.in.pending() <= noise.size());
    }
  }
}
