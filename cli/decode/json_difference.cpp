#include <cmath>

#include "cli/decode/check.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

std::string member(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

/// Long values are cut: the place says enough.
std::string brief(const json& v) {
  constexpr std::size_t longest = 100;
  const auto text = v.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

/// 0.0 and -0.0 are different bytes.
bool same(const json& a, const json& b) {
  if (a != b) return false;
  return !a.is_number_float() || !b.is_number_float() ||
         std::signbit(a.get<double>()) == std::signbit(b.get<double>());
}

void compare(const json& is, const json& should, const std::string& path,
             std::vector<json_difference>& out) {
  if (is.is_object() && should.is_object()) {
    for (const auto& [name, value] : should.items()) {
      const auto i = is.find(name);
      if (i == is.end())
        out.push_back({member(path, name), "is missing, should be " + brief(value)});
      else
        compare(*i, value, member(path, name), out);
    }
    for (const auto& [name, value] : is.items())
      if (!should.contains(name))
        out.push_back({member(path, name), "is " + brief(value) + ", should not be there"});
  } else if (is.is_array() && should.is_array()) {
    for (std::size_t i = 0; i < is.size() && i < should.size(); ++i)
      compare(is[i], should[i], path + "[" + std::to_string(i) + "]", out);
    if (is.size() != should.size())
      out.push_back({path, "has " + std::to_string(is.size()) + " entries, should have " +
                               std::to_string(should.size())});
  } else if (!same(is, should)) {
    out.push_back({path, "is " + brief(is) + ", should be " + brief(should)});
  }
}

}  // namespace

std::vector<json_difference> json_differences(const json& is, const json& should) {
  std::vector<json_difference> out;
  compare(is, should, {}, out);
  return out;
}

}  // namespace floe::cli
