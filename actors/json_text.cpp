#include "actors/json_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace floe {

std::string json_quoted(std::string_view text) {
  using nlohmann::json;
  const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (std::ranges::all_of(text, plain)) return fmt::format("\"{}\"", text);
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace floe
