#include <doctest/doctest.h>

#include <random>

#include "protocol/constants.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/record_content.hpp"

using namespace floe;

namespace {

std::vector<record> random_records(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<record> out(random() % 50);
  for (record& r : out) {
    r.key = bytes(random() % 40, static_cast<char>(random()));
    r.data = bytes(random() % 300, static_cast<char>(random()));
    r.header = {rsn{random()}, pnn{static_cast<std::uint32_t>(random())}, 0,
                static_cast<std::uint32_t>(random()), 0};
  }
  return out;
}

}  // namespace

TEST_CASE("what was put into a buffer comes out of it") {
  for (const std::uint64_t seed :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{std::random_device{}()}}) {
    INFO("seed " << seed);
    const auto records = random_records(seed);
    rec_buffer_builder b(db_id{42});
    for (const record& r : records) {
      const std::size_t expected = b.size_with(r.key.size(), r.data.size());
      b.add(r.key, r.header, r.data);
      CHECK(b.size() == expected);
      CHECK(b.encoded().size() == b.size());
    }
    CHECK(b.count() == records.size());
    const bytes encoded = b.take();
    const auto buffer = wire::decode<rec_buffer>(encoded);
    REQUIRE(buffer.has_value());
    CHECK(buffer->db_id() == db_id{42});
    CHECK(buffer->count() == records.size());
    std::size_t i = 0;
    for (const rec_data r : *buffer) {
      const auto back = r.as_record();
      REQUIRE(back.has_value());
      CHECK(*back == static_cast<record_view>(records[i++]));
    }
    CHECK(i == records.size());
  }
}

TEST_CASE("a builder is valid after each record and can be used again") {
  rec_buffer_builder b(db_id{7});
  CHECK(wire::decode<rec_buffer>(b.encoded())->count() == 0);
  b.add_plain("k", "", 3);
  CHECK(wire::decode<rec_buffer>(b.encoded())->count() == 1);
  CHECK(b.view().count() == 1);
  CHECK((b.take().size() == 8 + 17));
  CHECK(b.empty());
  CHECK(b.size() == rec_buffer::wire_size_min);
  CHECK(wire::decode<rec_buffer>(b.encoded())->db_id() == db_id{7});
}

TEST_CASE("records lie in the buffer that was decoded") {
  rec_buffer_builder b(db_id{7});
  b.add("key", {}, "data");
  const bytes encoded = b.take();
  const auto buffer = wire::decode<rec_buffer>(encoded);
  const rec_data r = *buffer->begin();
  CHECK(r.key.data() == encoded.data() + 8 + 16);
  CHECK(r.data.data() == encoded.data() + 8 + 16 + 3);
}

TEST_CASE("data too short for a header has none") {
  CHECK(!rec_data{0, "k", "23 bytes are not enough"}.as_record().has_value());
  CHECK(rec_data{0, "k", "24 bytes are just enough"}.as_record()->data.empty());
  CHECK(rec_data{}.is_end());
}

TEST_CASE("a header is 24 bytes, kept to the last") {
  const record_header h{rsn{0x1122334455667788}, pnn{1}, 2, record_flag::automatic, 0xdeadbeef};
  bytes encoded;
  append_header(encoded, h);
  CHECK((encoded == wire::encode(h)));
  CHECK(encoded.size() == record_header::wire_size);
  CHECK(load_header(encoded.data()) == h);
}

TEST_CASE("keys with a meaning") {
  CHECK(sequence_number_key.size() == 23);
  CHECK(sequence_number_key.back() == '\0');
  CHECK((transaction_lock_key(db_id{0x3880c3f1}) == bytes("transaction_db_0x3880c3f1\0", 26)));
}
