#include "protocol/controls.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "protocol/types/all.hpp"

namespace floe {
namespace {

template <class T>
const wire::type_info* info() {
  return &wire::codec<T>::info();
}

std::vector<control_info> make_table() {
  using namespace control_detail;
  return {
#define FLOE_CONTROL(opcode, field, name, request, reply, size, from, traits, does, answers) \
  control_info{control::field,                                                               \
               #field,                                                                       \
               #name,                                                                        \
               info<request>(),                                                              \
               info<reply>(),                                                                \
               size,                                                                         \
               sender::from,                                                                 \
               [] {                                                                          \
                 using namespace control_trait;                                              \
                 return std::uint8_t(traits);                                                \
               }(),                                                                          \
               does,                                                                         \
               answers},
#define FLOE_OBSOLETE_CONTROL(opcode, field, name)  \
  control_info{control::field,                      \
               #field,                              \
               #name,                               \
               info<wire::octets>(),                \
               info<wire::octets>(),                \
               unchecked,                           \
               sender::any,                         \
               control_trait::obsolete,             \
               "obsolete, answered with status -1", \
               ""},
#include "protocol/controls.def"
#undef FLOE_CONTROL
#undef FLOE_OBSOLETE_CONTROL
  };
}

const std::vector<control_info>& table() {
  static const std::vector<control_info> rows = make_table();
  return rows;
}

/// Row number + 1 of each small opcode, for finding without a search.
constexpr std::size_t small_opcodes = 256;
const std::array<std::uint16_t, small_opcodes>& small_index() {
  static const auto index = [] {
    std::array<std::uint16_t, small_opcodes> a{};
    for (std::size_t i = 0; i < table().size(); ++i) {
      const std::uint32_t opcode = number(table()[i].opcode);
      if (opcode < a.size()) a[opcode] = static_cast<std::uint16_t>(i + 1);
    }
    return a;
  }();
  return index;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::span<const control_info> all_controls() { return table(); }

const control_info* find_control(control opcode) {
  const auto& rows = table();
  if (number(opcode) < small_opcodes) {
    const std::uint16_t row = small_index()[number(opcode)];
    return row == 0 ? nullptr : &rows[row - 1U];
  }
  const auto found = std::ranges::find(rows, opcode, &control_info::opcode);
  return found == rows.end() ? nullptr : &*found;
}

const control_info* find_control(byte_view name) {
  const auto& rows = table();
  const auto found = std::ranges::find_if(rows, [&](const control_info& c) {
    return std::ranges::equal(c.field, name, {}, lower, lower);
  });
  return found == rows.end() ? nullptr : &*found;
}

bytes control_name(control opcode) {
  const control_info* row = find_control(opcode);
  return row != nullptr ? bytes(row->name) : std::to_string(number(opcode));
}

std::optional<wire::error> check_size(const char* type, size_rule rule, byte_view data,
                                      std::size_t value_size) {
  using wire::fault;
  switch (rule.is) {
    case size_rule::kind::exact:
      if (value_size == data.size()) return std::nullopt;
      return wire::error{type, "", value_size, fault::trailing_bytes, 0, data.size() - value_size};
    case size_rule::kind::at_least:
      if (data.size() >= rule.min) return std::nullopt;
      return wire::error{type, "", 0, fault::truncated, rule.min, data.size()};
    case size_rule::kind::unchecked: return std::nullopt;
    case size_rule::kind::terminated:
      if (data.find('\0') != byte_view::npos) return std::nullopt;
      return wire::error{type, "", 0, fault::not_terminated, 1, data.size()};
  }
  return std::nullopt;
}

std::expected<std::size_t, wire::error> check_request(const control_info& row, byte_view data) {
  auto size = row.request->measure(data);
  if (!size) return size;
  if (auto bad = check_size(row.request->name, row.size, data, *size)) {
    return std::unexpected(*bad);
  }
  return size;
}

}  // namespace floe
