// Lengths that lie, in the manner of CVE-2026-58224 (Samba bug 16085: reads out of bounds and
// allocations without limit because length fields of received packets were believed). Inputs live
// in buffers of their exact size, so that the address sanitizer sees a read of one byte too many.
#include <doctest/doctest.h>

#include <memory>

#include "protocol/packet.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/types/all.hpp"

using namespace floe;
using wire::fault;

namespace {

/// Numbers and text, one behind the other.
class raw {
 public:
  raw& u32(std::uint32_t n) { return add(&n, sizeof n); }
  raw& u64(std::uint64_t n) { return add(&n, sizeof n); }
  raw& text(byte_view t) {
    out_.append(t);
    return *this;
  }
  raw& zeros(std::size_t n) {
    out_.append(n, '\0');
    return *this;
  }
  operator bytes() const {
    bytes exact(out_);
    exact.shrink_to_fit();
    return exact;
  }

 private:
  raw& add(const void* p, std::size_t n) {
    out_.append(static_cast<const char*>(p), n);
    return *this;
  }
  bytes out_;
};

/// A heap block of exactly this size: nothing behind it may be read.
struct exact {
  explicit exact(byte_view b) : size(b.size()), data(new char[b.size()]) {
    if (size > 0) std::memcpy(data.get(), b.data(), size);
  }
  byte_view view() const { return {data.get(), size}; }
  std::size_t size;
  std::unique_ptr<char[]> data;
};

template <class T>
wire::error refused(const bytes& input) {
  const exact in(input);
  const auto v = wire::decode_prefix<T>(in.view());
  REQUIRE(!v.has_value());
  return v.error();
}

template <class Body>
wire::error packet_refused(operation op, const bytes& body) {
  const auto length = static_cast<std::uint32_t>(header_size + body.size());
  const bytes whole = bytes(raw().u32(length).u32(packet_magic).u32(1).u32(5)) +
                      bytes(raw().u32(static_cast<std::uint32_t>(op)).u32(0).u32(0).u32(1)) + body;
  const exact in(whole);
  const auto p = decode_packet(in.view());
  REQUIRE(!p.has_value());
  // printers must cope with it too
  CHECK(packet_to_json(in.view()).find("\"error\"") != bytes::npos);
  CHECK(!packet_listing(in.view()).empty());
  return p.error();
}

}  // namespace

TEST_CASE("CVE-2026-58224: text without NUL ends with the data") {
  const exact in("locking.tdb");
  const auto v = wire::decode<wire::string>(in.view());
  REQUIRE(v.has_value());
  CHECK(v->value == "locking.tdb");
}

TEST_CASE("CVE-2026-58224: counted text without NUL ends with its length") {
  const exact in(bytes(raw().u32(3).text("abcdef")));
  const auto v = wire::decode_prefix<tunable_name>(in.view());
  REQUIRE(v.has_value());
  CHECK(v->value.name == "abc");
  CHECK(v->size == 7);
}

TEST_CASE("CVE-2026-58224: a name may end early, its length counts all the same") {
  const exact in(bytes(raw().u32(9).u32(6).text(byte_view("ab\0def", 6))));
  const auto v = wire::decode<tunable_set>(in.view());
  REQUIRE(v.has_value());
  CHECK(v->name == "ab");
}

TEST_CASE(
    "CVE-2026-58224: a database name without NUL is refused where it would be read as a C string") {
  CHECK(!decode_request<control::db_attach>("locking.tdb").has_value());
  CHECK(!decode_request<control::db_attach_persistent>("x").has_value());
  CHECK(!decode_request<control::db_attach_replicated>("").has_value());
}

TEST_CASE("CVE-2026-58224: an interface name without NUL") {
  CHECK(refused<iface>(raw().text("123456789012345678").zeros(6)).why == fault::not_terminated);
  CHECK(wire::decode<iface>(bytes(raw().text("12345678901234567").zeros(7)))->name.size() == 17);
}

TEST_CASE("CVE-2026-58224: text longer than the data") {
  const auto e = refused<tunable_name>(raw().u32(100).text("abc"));
  CHECK(e.why == fault::truncated);
  CHECK(e.wanted == 100);
  CHECK(e.have == 3);
  CHECK(e.text() == "tunable_name.name at offset 4: needs 100 bytes, 3 are left");
}

TEST_CASE("CVE-2026-58224: arrays longer than the data") {
  for (const std::uint32_t count : {3u, 100u, 0x10000000u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
    INFO("count " << count);
    CHECK(refused<vnn_map>(raw().u32(1).u32(count).u32(0).u32(1)).why == fault::count_too_large);
    CHECK(refused<node_map>(raw().u32(count).zeros(72)).why == fault::count_too_large);
    CHECK(refused<dbid_map>(raw().u32(count).zeros(16)).why == fault::count_too_large);
    CHECK(refused<public_ip_list>(raw().u32(count).zeros(64)).why == fault::count_too_large);
    CHECK(refused<iface_list>(raw().u32(count).zeros(48)).why == fault::count_too_large);
    CHECK(refused<tickle_list>(raw().zeros(28).u32(count).zeros(112)).why ==
          fault::count_too_large);
    CHECK(refused<public_ip_info>(raw().zeros(36).u32(count).zeros(48)).why ==
          fault::count_too_large);
    CHECK(refused<statistics_list>(raw().u32(count).zeros(4 + 2 * 488)).why ==
          fault::count_too_large);
    CHECK(refused<rec_buffer>(raw().u32(7).u32(count).zeros(32)).why == fault::count_too_large);
  }
}

TEST_CASE("CVE-2026-58224: a count whose product with the entry wraps to the size of the data") {
  // 0x40000001 * 4 is 4 in 32 bits, 0x24924925 * 28 is 12, 0x08000001 * 32 is 32
  CHECK(refused<vnn_map>(raw().u32(1).u32(0x40000001).u32(0)).why == fault::count_too_large);
  CHECK(refused<public_ip_list>(raw().u32(0x08000001).zeros(32)).why == fault::count_too_large);
  CHECK(refused<dbid_map>(raw().u32(0x20000001).zeros(8)).why == fault::count_too_large);
}

TEST_CASE("CVE-2026-58224: record lengths that lie") {
  const bytes good = raw().u32(20).u32(0).u32(2).u32(2).text("kkdd");
  CHECK(wire::decode<rec_data>(good).has_value());
  CHECK(refused<rec_data>(raw().u32(19).u32(0).u32(2).u32(2).text("kkdd")).why ==
        fault::length_wrong);
  CHECK(refused<rec_data>(raw().u32(20).u32(0).u32(3).u32(2).text("kkdd")).why ==
        fault::length_wrong);
  CHECK(refused<rec_data>(raw().u32(0).u32(0).u32(0).u32(0)).why == fault::length_wrong);
  CHECK(refused<rec_data>(raw().u32(26).u32(0).u32(2).u32(8).text("kkdd")).why == fault::truncated);
}

TEST_CASE("CVE-2026-58224: record lengths whose sum wraps") {
  // 16 + 0xFFFFFFFF + 5 is 20 in 32 bits: the record seems to end where it should
  CHECK(refused<rec_data>(raw().u32(20).u32(0).u32(0xFFFFFFFF).u32(5).text("kkdd")).why ==
        fault::length_wrong);
  CHECK(refused<rec_data>(raw().u32(20).u32(0).u32(5).u32(0xFFFFFFFF).text("kkdd")).why ==
        fault::length_wrong);
  CHECK(refused<rec_data>(raw().u32(16).u32(0).u32(0x80000000).u32(0x80000000)).why ==
        fault::length_wrong);
}

TEST_CASE(
    "CVE-2026-58224: a buffer with fewer records than it says, or with one that runs over its "
    "end") {
  const bytes one = raw().u32(18).u32(0).u32(1).u32(1).text("kd");
  CHECK(refused<rec_buffer>(bytes(raw().u32(7).u32(2)) + one).why == fault::count_too_large);
  const auto e = refused<rec_buffer>(bytes(raw().u32(7).u32(2)) + one +
                                     bytes(raw().u32(30).u32(0).u32(7).u32(7)));
  CHECK(e.why == fault::truncated);
  CHECK(byte_view(e.type) == "rec_data");
  CHECK(e.offset == 8 + 18 + 16);
}

TEST_CASE("CVE-2026-58224: hot keys of 64 bit lengths") {
  bytes good = wire::encode(db_statistics{});
  REQUIRE(good.size() == 464);
  auto with_length = [&](std::size_t key, std::uint64_t length) {
    bytes b = good;
    std::memcpy(b.data() + 224 + 24 * key + 16, &length, sizeof length);
    return b;
  };
  CHECK(refused<db_statistics>(with_length(0, 1)).why == fault::truncated);
  CHECK(refused<db_statistics>(with_length(0, ~std::uint64_t{0})).why == fault::truncated);
  CHECK(refused<db_statistics>(with_length(9, std::uint64_t{1} << 63)).why == fault::truncated);
  bytes two = with_length(0, ~std::uint64_t{0});
  const std::uint64_t one = 1;
  std::memcpy(two.data() + 224 + 24 + 16, &one, sizeof one);  // the sum of the two wraps to 0
  CHECK(refused<db_statistics>(two).why == fault::truncated);
  const std::uint32_t eleven = 11;
  std::memcpy(good.data() + 216, &eleven, sizeof eleven);
  CHECK(refused<db_statistics>(good).why == fault::bad_value);
}

TEST_CASE("CVE-2026-58224: the other lengths inside payloads") {
  CHECK(refused<notify_data>(raw().u64(1).u32(10).text("ab")).why == fault::truncated);
  CHECK(refused<notify_data>(raw().u64(1).u32(0xFFFFFFFF)).why == fault::truncated);
  CHECK(refused<echo_data>(raw().u32(1).u32(9).text("ab")).why == fault::truncated);
  CHECK(refused<key_data>(raw().zeros(32).u32(9).text("abc")).why == fault::truncated);
  CHECK(refused<addr_info>(raw().zeros(32).u32(0xFFFFFFFF).text("lo")).why == fault::truncated);
  CHECK(refused<var_list>(raw().u32(0xFFFFFFF0).text(":A")).why == fault::truncated);
  CHECK(refused<push_record>(raw().zeros(32).u32(2).text("kk").u32(3).text("dd")).why ==
        fault::truncated);
  CHECK(refused<record_lock_request>(raw().zeros(12).u32(5).text("key")).why == fault::truncated);
  CHECK(refused<record_store_request>(raw().zeros(12).u32(5)).why == fault::truncated);
}

TEST_CASE("CVE-2026-58224: values that are not allowed") {
  CHECK(refused<db_vacuum>(raw().u32(7).text("\2")).why == fault::bad_value);
  CHECK(refused<g_lock>(raw().u32(2).zeros(28)).why == fault::bad_value);
}

TEST_CASE("CVE-2026-58224: inner lengths of packets beyond the packet") {
  using op = operation;
  const std::uint32_t most = 0xFFFFFFFF;
  CHECK(packet_refused<req_call>(op::req_call, raw().zeros(16).u32(5).u32(0).text("key!")).why ==
        fault::truncated);
  CHECK(packet_refused<req_call>(op::req_call, raw().zeros(16).u32(4).u32(1).text("key!")).why ==
        fault::truncated);
  CHECK(packet_refused<reply_call>(op::reply_call, raw().u32(0).u32(9).text("12345678")).why ==
        fault::truncated);
  CHECK(packet_refused<req_dmaster>(op::req_dmaster, raw().zeros(20).u32(4).u32(most).text("key!"))
            .why == fault::truncated);
  CHECK(packet_refused<reply_dmaster>(op::reply_dmaster, raw().zeros(16).u32(most).u32(0).zeros(8))
            .why == fault::truncated);
  CHECK(packet_refused<reply_error>(op::reply_error, raw().u32(0).u32(99).text("no")).why ==
        fault::truncated);
  CHECK(packet_refused<req_message>(op::req_message, raw().u64(1).u32(21).zeros(20)).why ==
        fault::truncated);
  CHECK(packet_refused<req_control>(op::req_control, raw().zeros(24).u32(5).text("1234")).why ==
        fault::truncated);
  CHECK(packet_refused<reply_control>(op::reply_control, raw().u32(0).u32(4).u32(1).text("data"))
            .why == fault::truncated);
  CHECK(packet_refused<req_tunnel>(op::req_tunnel, raw().u64(1).u32(0).u32(most)).why ==
        fault::truncated);
}

TEST_CASE("CVE-2026-58224: inner lengths whose sum wraps to the size of the packet") {
  using op = operation;
  CHECK(packet_refused<req_call>(op::req_call, raw().zeros(16).u32(0xFFFFFFFC).u32(8).text("key!"))
            .why == fault::truncated);
  CHECK(packet_refused<req_dmaster>(op::req_dmaster,
                                    raw().zeros(20).u32(8).u32(0xFFFFFFFC).text("key!"))
            .why == fault::truncated);
  CHECK(packet_refused<reply_control>(op::reply_control,
                                      raw().u32(0).u32(0x80000004).u32(0x80000000).text("data"))
            .why == fault::truncated);
}

TEST_CASE("CVE-2026-58224: packets that end inside their fixed part") {
  const std::pair<operation, std::size_t> fixed[] = {
      {operation::req_call, 24},      {operation::reply_call, 8},     {operation::req_dmaster, 28},
      {operation::reply_dmaster, 24}, {operation::reply_error, 8},    {operation::req_message, 12},
      {operation::req_control, 28},   {operation::reply_control, 12}, {operation::req_tunnel, 16}};
  for (const auto& [op, size] : fixed) {
    for (std::size_t n = 0; n < size; ++n) {
      INFO(operation_name(op) << " of " << n);
      CHECK(packet_refused<req_call>(op, raw().zeros(n)).why == fault::truncated);
    }
  }
}
