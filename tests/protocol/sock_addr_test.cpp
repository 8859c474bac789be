#include "protocol/types/sock_addr.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <cstring>
#include <random>

using namespace floe;

TEST_CASE("addresses are written as the system writes them and read back") {
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{std::random_device{}()}}) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20000; ++i) {
      sock_addr a;
      a.family = i % 4 == 0 ? sock_addr::ipv4 : sock_addr::ipv6;
      a.port = static_cast<std::uint16_t>(random());
      const std::size_t used = a.family == sock_addr::ipv4 ? 4 : 16;
      // many zero groups, so that all ways to shorten them occur
      const std::uint64_t zeros = random();
      for (std::size_t k = 0; k < used; ++k) {
        if (a.family == sock_addr::ipv6 && ((zeros >> (k / 2)) & 1) != 0) continue;
        a.address[k] = static_cast<std::uint8_t>(random() % (i % 3 == 0 ? 2 : 256));
      }
      char theirs[INET6_ADDRSTRLEN];
      REQUIRE(inet_ntop(a.family, a.address.data(), theirs, sizeof theirs) != nullptr);
      const auto back = parse_address(address_text(a), a.port);
      REQUIRE(back.has_value());
      CHECK(*back == a);
      // the system writes some addresses of leading zeros in the dotted form that is no longer
      // advised
      if (byte_view(theirs).find('.') == byte_view::npos || a.family == sock_addr::ipv4) {
        CHECK(address_text(a) == theirs);
      }
      const auto from_theirs = parse_address(theirs, a.port);
      REQUIRE(from_theirs.has_value());
      CHECK(*from_theirs == a);
    }
  }
}

TEST_CASE("forms of IPv6 addresses") {
  auto normal = [](byte_view text) {
    const auto a = parse_address(text);
    return a ? address_text(*a) : bytes("refused");
  };
  CHECK(normal("::") == "::");
  CHECK(normal("::1") == "::1");
  CHECK(normal("1::") == "1::");
  CHECK(normal("FD00:0:0::1") == "fd00::1");
  CHECK(normal("1:0:0:2:0:0:0:3") == "1:0:0:2::3");
  CHECK(normal("1:0:2:3:4:5:6:7") == "1:0:2:3:4:5:6:7");
  CHECK(normal("::ffff:10.1.2.3") == "10.1.2.3");  // the same host under another spelling
  CHECK(normal("64:ff9b::10.1.2.3") == "64:ff9b::a01:203");
}

TEST_CASE("what is no address is refused") {
  for (const byte_view text : {"",
                               ":",
                               ":::",
                               "1:",
                               ":1",
                               "1::2::3",
                               "1:2:3:4:5:6:7",
                               "1:2:3:4:5:6:7:8:9",
                               "12345::",
                               "g::",
                               "1:2:3:4:5:6:7::8",
                               "::1.2.3",
                               "::1.2.3.4:5",
                               "1.2.3",
                               "1.2.3.4.5",
                               "256.1.1.1",
                               "1.2.3.-4",
                               " 1.2.3.4",
                               "1.2.3.4 ",
                               "0x1.2.3.4",
                               "1..2.3",
                               "0001.2.3.4",
                               "127.0.0.010",
                               "fe80::1%eth0",
                               "host"}) {
    INFO(text);
    CHECK(!parse_address(text).has_value());
  }
}

TEST_CASE("two addresses are one host if only the port differs") {
  CHECK(same_host(*parse_address("10.0.0.1", 1), *parse_address("10.0.0.1", 2)));
  CHECK(!same_host(*parse_address("10.0.0.1"), *parse_address("10.0.0.2")));
  CHECK(!same_host(*parse_address("::"), *parse_address("0.0.0.0")));
}

TEST_CASE("an address with its port") {
  CHECK(address_port_text(*parse_address("10.0.0.1", 4379)) == "10.0.0.1:4379");
  CHECK(address_port_text(*parse_address("fd00::1", 4379)) == "[fd00::1]:4379");
}

TEST_CASE("the port is big endian, the family is not") {
  const bytes encoded = wire::encode(*parse_address("10.0.0.1", 4379));
  CHECK((encoded.substr(0, 8) == bytes("\x02\x00\x11\x1b\x0a\x00\x00\x01", 8)));
}

TEST_CASE("old memory behind an IPv4 address is of no interest") {
  bytes encoded = wire::encode(*parse_address("10.0.0.1", 4379));
  encoded.replace(8, 20, "whatever was in here");
  CHECK(wire::decode<sock_addr>(encoded) == *parse_address("10.0.0.1", 4379));
}
