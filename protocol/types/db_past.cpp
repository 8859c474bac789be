#include "protocol/types/db_past.hpp"

#include <charconv>
#include <utility>

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<db_past>) {
  return wire::record("db_past", wire::field("number", &db_past::number),
                      wire::field("written", &db_past::written),
                      wire::counted("num", "from", &db_past::from));
}

template struct wire::codec<db_past>;

std::string to_text(const db_past& p) {
  auto text = std::to_string(p.number) + ' ' + std::to_string(std::to_underlying(p.written));
  for (const auto g : p.from) text += ' ' + std::to_string(std::to_underlying(g));
  return text;
}

std::optional<db_past> past_in(std::string_view text) {
  const auto next = [&](auto& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  };
  db_past p;
  std::uint32_t g = 0;
  if (!next(p.number) || !text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  if (!next(g)) return std::nullopt;
  p.written = generation{g};
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
    if (!next(g)) return std::nullopt;
    p.from.push_back(generation{g});
  }
  if (!text.empty()) return std::nullopt;
  return p;
}

}  // namespace floe
