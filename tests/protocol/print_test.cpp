// Numbers, text and octets as JSON and as text.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "protocol/types/all.hpp"
#include "protocol/wire/generator.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/text.hpp"
#include "tests/protocol/types_under_test.hpp"

using namespace floe;

namespace {

bytes json_text(byte_view text) {
  wire::json_writer w;
  w.text("", text);
  return w.take();
}

bytes json_real(double d) {
  wire::json_writer w;
  w.real("", d);
  return w.take();
}

template <class T>
wire::field_list fields_of(const T& v) {
  wire::field_list fields;
  wire::codec<T>::show(fields, "", v);
  return fields;
}

template <class T>
bytes line(const T& v) {
  wire::text_sink s;
  wire::codec<T>::show(s, "", v);
  return s.take();
}

}  // namespace

TEST_CASE("text is escaped as JSON wants it") {
  CHECK(json_text("plain") == "\"plain\"");
  CHECK(json_text("a\"b\\c\nd") == R"("a\"b\\c\nd")");
  CHECK(json_text(byte_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(json_text("gr\xc3\xbc\xc3\x9f\xf0\x9f\xa7\x8a") ==
        "\"gr\xc3\xbc\xc3\x9f\xf0\x9f\xa7\x8a\"");
}

TEST_CASE("bytes that are no UTF-8 become the replacement character") {
  const bytes bad = "\xef\xbf\xbd";
  CHECK(json_text("\xff") == "\"" + bad + "\"");
  CHECK(json_text("\xc3") == "\"" + bad + "\"");
  CHECK(json_text("\xc0\xaf") == "\"" + bad + bad + "\"");            // overlong
  CHECK(json_text("\xed\xa0\x80") == "\"" + bad + bad + bad + "\"");  // surrogate
  CHECK(json_text("\xf4\x90\x80\x80x").ends_with("x\""));             // beyond the last
  CHECK(json_text("\xe2\x82") == "\"" + bad + bad + "\"");            // cut
}

TEST_CASE("whatever text a packet holds, its JSON can be read") {
  wire::generator g(3);
  for (int i = 0; i < 2000; ++i) {
    const byte_view octets = g.octets(60);
    CHECK(nlohmann::json::accept(json_text(octets)));
  }
}

TEST_CASE("reals read back as the same number") {
  for (const double d :
       {0.0, 1.0, -2.5, 0.1, 1e-300, 1.7976931348623157e308, 5e-324, 0.049616999999999994}) {
    CHECK(nlohmann::json::parse(json_real(d)).get<double>() == d);
  }
  CHECK(json_real(3) == "3.0");
  CHECK(json_real(std::numeric_limits<double>::infinity()) == "null");
  CHECK(json_real(std::nan("")) == "null");
}

TEST_CASE("JSON of every type can be read") {
  wire::generator g(8);
  for (const auto& [name, type] : types_under_test()) {
    INFO(name);
    for (int i = 0; i < 50; ++i) {
      wire::json_writer w;
      w.begin_object();
      wire::json_sink s(w);
      REQUIRE(type->show(type->generate(g), s, "data").has_value());
      w.end();
      const auto json = nlohmann::json::parse(w.str());
      CHECK(json.contains("data"));
    }
  }
}

TEST_CASE("a null string is null, an empty one is empty") {
  auto json = [](const tunable_name& v) {
    wire::json_writer w;
    wire::json_sink s(w);
    wire::codec<tunable_name>::show(s, "", v);
    return w.take();
  };
  CHECK(json({}) == R"({"name": null})");
  CHECK(json({""}) == R"({"name": ""})");
  CHECK((wire::encode(tunable_name{}) == bytes(4, '\0')));
  CHECK((wire::encode(tunable_name{""}) == bytes("\1\0\0\0\0", 5)));
  CHECK(wire::decode<tunable_name>(bytes(4, '\0'))->name.data() == nullptr);
  CHECK(wire::decode<tunable_name>(bytes("\1\0\0\0\0", 5))->name.data() != nullptr);
}

TEST_CASE("a value on one line") {
  CHECK(line(ban_state{pnn{2}, 5}) == "pnn=2 time=5");
  CHECK(line(node_flag_change{pnn{1}, node_flag::stopped, 0}) ==
        "pnn=1 new_flags=32(STOPPED) old_flags=0");
  CHECK(line(vnn_map{generation::invalid, {pnn{0}, pnn{1}}}) ==
        "generation=1(INVALID) size=2 map=[0 1]");
  CHECK(line(node_map{{{pnn{0}, 0, *parse_address("10.0.0.1", 4379)}}}) ==
        "num=1 nodes=[{pnn=0 flags=0 addr={family=2 port=4379 address=\"10.0.0.1\"}}]");
  CHECK(line(rec_data{1, byte_view("key\0", 4), "\x01\x02"}) ==
        "reqid=1 keylen=4 datalen=2 key=\"key\\x00\" data=0102");
  CHECK(line(wire::octets{}) == "empty");
}

TEST_CASE("long octets are cut on a line, with their size") {
  const bytes data(1000, 'x');
  CHECK(line(wire::octets{data}) == "\"" + bytes(64, 'x') + "\"...(1000 bytes)");
}

TEST_CASE("an equality report names the fields that differ") {
  auto report = [](const auto& a, const auto& b) {
    return wire::difference(fields_of(a), fields_of(b));
  };
  const vnn_map a{generation{5}, {pnn{0}, pnn{1}}};
  CHECK(report(a, a) == "");
  CHECK(report(a, vnn_map{generation{6}, {pnn{0}, pnn{2}}}) ==
        "generation: 5 != 6\nmap[1]: 1 != 2\n");
  CHECK(report(a, vnn_map{generation{5}, {pnn{0}}}) == "size: 2 != 1\nmap[1]: 1 != missing\n");
  CHECK(report(tunable_name{}, tunable_name{""}) == "length: 0 != 1\nname: none != \"\"\n");
}

TEST_CASE("a report of many differences stops after a few") {
  tunable_list other;
  for (auto& v : other.values) ++v;
  const bytes text = wire::difference(fields_of(tunable_list{}), fields_of(other), 3);
  CHECK(std::ranges::count(text, '\n') == 3);
}
