#include "cli/transaction_input.hpp"

#include "cli/keys.hpp"

namespace floe::cli {
namespace {

constexpr std::string_view blanks = " \t\r";

void skip_blanks(std::string_view& rest) {
  const auto n = rest.find_first_not_of(blanks);
  rest.remove_prefix(n == std::string_view::npos ? rest.size() : n);
}

/// What stands in the next pair of quotes.
std::expected<bytes, std::string> quoted(std::string_view& rest) {
  skip_blanks(rest);
  if (!rest.starts_with('"')) return std::unexpected("key and value must be in double quotes");
  const auto end = rest.find('"', 1);
  if (end == std::string_view::npos) return std::unexpected("a quote is not closed");
  const auto inside = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return parse_octets(inside);
}

}  // namespace

std::expected<std::vector<key_and_value>, std::string> parse_transaction(std::string_view text) {
  std::vector<key_and_value> all;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto rest = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), rest.size() + 1));
    skip_blanks(rest);
    if (rest.empty()) continue;
    const auto in_line = [&](const std::string& why) {
      return std::unexpected("line " + std::to_string(number) + ": " + why);
    };
    auto key = quoted(rest);
    if (!key) return in_line(key.error());
    skip_blanks(rest);
    if (key->empty() || rest.empty()) continue;
    auto value = quoted(rest);
    if (!value) return in_line(value.error());
    all.push_back({std::move(*key), std::move(*value)});
  }
  return all;
}

}  // namespace floe::cli
