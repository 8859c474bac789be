// Payloads: the first byte picks a type, of all that controls and messages carry, the rest is its
// data.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/controls.hpp"
#include "protocol/messages.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/text.hpp"
#include "tests/fuzz/check.hpp"

namespace {

using namespace floe;

const std::vector<const wire::type_info*>& types() {
  static const auto all = [] {
    std::vector<const wire::type_info*> out;
    auto add = [&](const wire::type_info* t) {
      for (const auto* known : out) {
        if (byte_view(known->name) == t->name) return;
      }
      out.push_back(t);
    };
    for (const auto& c : all_controls()) {
      add(c.request);
      add(c.reply);
    }
    for (const auto& m : all_messages()) add(m.type);
    return out;
  }();
  return all;
}

void check_rules(byte_view data) {
  for (const auto& c : all_controls()) {
    const auto size = check_request(c, data);
    if (size) FUZZ_CHECK(*size <= data.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc < 2 || byte_view((*argv)[1]) != "--types") return 0;
  for (const auto* t : types()) std::printf("%s\n", t->name);
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // a heap block of its own, so that the sanitizer sees a read behind it
  const bytes input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0xff) {
    check_rules(input);
    return 0;
  }
  const wire::type_info& type = *types()[data[0] % types().size()];

  const auto measured = type.measure(input);
  if (!measured) {
    FUZZ_CHECK(measured.error().offset <= input.size());
    FUZZ_CHECK(!measured.error().text().empty());
    FUZZ_CHECK(!type.reencode(input).has_value());
    return 0;
  }
  FUZZ_CHECK(*measured <= input.size() && *measured >= type.min_size);
  const byte_view value = byte_view(input).substr(0, *measured);
  const auto again = type.reencode(value);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(type.reencode(*again) == *again);

  wire::json_writer json;
  json.begin_object();
  wire::json_sink members(json);
  FUZZ_CHECK(type.show(value, members, "data").has_value());
  json.end();
  wire::text_sink line;
  FUZZ_CHECK(type.show(value, line, "data").has_value());
  wire::field_list before;
  wire::field_list after;
  FUZZ_CHECK(type.show(value, before, "data").has_value());
  FUZZ_CHECK(type.show(*again, after, "data").has_value());
  for (const auto& f : before.fields())
    FUZZ_CHECK(f.where.offset + f.where.size <= value.size() + 1);
  FUZZ_CHECK(wire::difference(before, after).empty());
  return 0;
}
