#include "cli/decode/type_shape.hpp"

#include <algorithm>
#include <cstdint>

#include "protocol/wire/generator.hpp"
#include "protocol/wire/text.hpp"

namespace floe::cli {
namespace {

constexpr std::uint64_t samples = 64;

/// "nodes[3].addr" to "nodes[].addr".
std::string without_numbers(const std::string& path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == ']') inside = false;
    if (!inside) out.push_back(c);
    if (c == '[') inside = true;
  }
  return out;
}

std::string kind_of(const wire::listed_field& f) {
  using shape = wire::scalar::shape;
  const auto bits = std::to_string(8 * f.where.size);
  switch (f.value.is) {
    case shape::unsigned_number: return "u" + bits;
    case shape::signed_number: return "i" + bits;
    case shape::hex64: return "u64";
    case shape::real: return "f64";
    case shape::octets: return "octets";
    case shape::text: return "text";
    case shape::null: return f.hidden ? "padding" : "";
  }
  return {};
}

struct seen_field {
  shape_field field;
  std::uint64_t values = 0;  ///< in how many samples
  std::uint64_t last = 0;
  bool moved = false;
};

}  // namespace

std::vector<shape_field> shape_of(const wire::type_info& type) {
  std::vector<seen_field> seen;
  for (std::uint64_t seed = 1; seed <= samples; ++seed) {
    wire::generator random(seed);
    const bytes value = type.generate(random);
    wire::field_list list;
    if (!type.show(value, list, "")) continue;
    std::size_t next = 0;  // where a field that is new belongs: behind the one before it
    for (const auto& f : list.fields()) {
      auto path = without_numbers(f.path);
      if (f.value.is == wire::scalar::shape::null && f.hidden)
        path += "(" + std::to_string(f.where.offset) + ")";
      auto at = std::ranges::find(
          seen, path, [](const seen_field& s) -> const std::string& { return s.field.path; });
      if (at == seen.end()) {
        at = seen.insert(seen.begin() + static_cast<std::ptrdiff_t>(next), seen_field{});
        at->field = {.path = path,
                     .min_size = f.where.size,
                     .max_size = f.where.size,
                     .offset = f.where.offset};
        at->field.in_list = path.find('[') != std::string::npos;
      }
      if (at->field.kind.empty()) at->field.kind = kind_of(f);
      at->field.min_size = std::min(at->field.min_size, f.where.size);
      at->field.max_size = std::max(at->field.max_size, f.where.size);
      at->moved = at->moved || at->field.offset != f.where.offset;
      if (at->last != seed) ++at->values;
      at->last = seed;
      next = static_cast<std::size_t>(at - seen.begin()) + 1;
    }
  }
  std::vector<shape_field> out;
  for (auto& s : seen) {
    if (s.field.kind == "padding") {
      if (s.moved || s.field.in_list || s.values < samples)
        continue;  // padding that moves says nothing
      s.field.path = "padding";
    }
    if (s.moved || s.field.in_list) s.field.offset.reset();
    s.field.always = s.values == samples;
    if (s.field.kind.empty()) s.field.kind = "nothing";
    out.push_back(std::move(s.field));
  }
  return out;
}

}  // namespace floe::cli
