#include "protocol/tunables.hpp"

#include <algorithm>

#include "protocol/wire/layout.hpp"

namespace floe {
namespace {

constexpr std::array<tunable_info, tunable_count> table{{
#define FLOE_TUNABLE(index, field, name, value, unit, meaning) \
  {tunable::field, #field, #name, value, unit, meaning, false, false},
#define FLOE_OBSOLETE_TUNABLE(index, field, name, value) \
  {tunable::field, #field, #name, value, "", "", true, false},
#define FLOE_OWN_TUNABLE(index, field, name, value, unit, meaning) \
  {tunable::field, #field, #name, value, unit, meaning, false, true},
#include "protocol/tunables.def"
#undef FLOE_TUNABLE
#undef FLOE_OBSOLETE_TUNABLE
#undef FLOE_OWN_TUNABLE
}};

/// Row of the table for each index.
constexpr std::array<std::uint16_t, tunable_count> row_of = [] {
  std::array<std::uint16_t, tunable_count> rows{};
  std::array<bool, tunable_count> seen{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto index = static_cast<std::size_t>(table[i].which);
    if (index >= tunable_count || seen[index]) throw "each index once, without gaps";
    if ((index >= wire_tunable_count) != table[i].own)
      throw "the first 62 travel, the others are ours";
    seen[index] = true;
    rows[index] = static_cast<std::uint16_t>(i);
  }
  return rows;
}();

const tunable_info& at_index(std::size_t index) { return table[row_of[index]]; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

namespace wire {

/// 62 numbers, each shown under its name.
struct tunables_row {
  static constexpr std::size_t min_size = tunable_list::wire_size;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  void put(writer& w, const tunable_list& v) const {
    for (std::size_t i = 0; i < wire_tunable_count; ++i) w.number(v.values[i]);
  }
  void get(reader& r, tunable_list& v) const {
    for (std::size_t i = 0; i < wire_tunable_count; ++i) {
      v.values[i] = r.number<std::uint32_t>(at_index(i).field.data());
    }
  }
  void show(sink& s, const tunable_list& v) const {
    for (std::size_t i = 0; i < wire_tunable_count; ++i) {
      s.show(at_index(i).field.data(), scalar::number(v.values[i]), 4);
    }
  }
  void make(generator& g, tunable_list& v) const {
    for (std::size_t i = 0; i < wire_tunable_count; ++i) {
      v.values[i] = static_cast<std::uint32_t>(g.number(4));
    }
  }
  std::size_t size(const tunable_list&) const { return min_size; }
};

}  // namespace wire

constexpr auto layout(wire::of<tunable_list>) {
  return wire::record("tunable_list", wire::tunables_row{});
}
template struct wire::codec<tunable_list>;

std::span<const tunable_info> all_tunables() { return table; }

const tunable_info* find_tunable(byte_view name) {
  const auto same = [&](const tunable_info& t) {
    return std::ranges::equal(t.name, name, {}, lower, lower);
  };
  const auto* found = std::ranges::find_if(table, same);
  return found == table.end() ? nullptr : &*found;
}

const tunable_info& info_of(tunable which) { return at_index(static_cast<std::size_t>(which)); }

bytes tunable_names() {
  bytes out;
  for (const tunable_info& t : table) {
    if (!t.obsolete) out.append(":").append(t.name);
  }
  return out;
}

tunable_list::tunable_list() : values{} {
  for (const tunable_info& t : table) (*this)[t.which] = t.value;
}

std::optional<std::uint32_t> tunable_list::get(byte_view name) const {
  const tunable_info* t = find_tunable(name);
  if (t == nullptr) return std::nullopt;
  return (*this)[t->which];
}

bool tunable_list::set(byte_view name, std::uint32_t value) {
  const tunable_info* t = find_tunable(name);
  if (t == nullptr) return false;
  (*this)[t->which] = value;
  return true;
}

}  // namespace floe
