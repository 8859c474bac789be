#include "tests/protocol/golden.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace golden {
namespace {

std::vector<capture> read_all() {
  std::vector<std::filesystem::path> files;
  for (const auto& e : std::filesystem::recursive_directory_iterator(FLOE_GOLDEN_DIR)) {
    if (e.path().extension() == ".jsonl") files.push_back(e.path());
  }
  std::ranges::sort(files);
  std::vector<capture> out;
  for (const auto& file : files) {
    std::ifstream in(file);
    for (std::string text; std::getline(in, text);) {
      capture c;
      c.line = nlohmann::json::parse(text);
      c.file = file.filename();
      c.id = c.line.at("id");
      c.about = c.line.at("about");
      c.packet = from_hex(c.line.at("hex"));
      if (!c.line.at("control").is_null()) {
        c.opcode = static_cast<floe::control>(c.line.at("control").get<std::uint32_t>());
      }
      out.push_back(std::move(c));
    }
  }
  if (out.empty()) throw std::runtime_error("no captures in " FLOE_GOLDEN_DIR);
  return out;
}

}  // namespace

const std::vector<capture>& all() {
  static const std::vector<capture> captures = read_all();
  return captures;
}

floe::bytes from_hex(const std::string& hex) {
  if (hex.size() % 2 != 0) throw std::runtime_error("odd number of hex digits");
  floe::bytes out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::string difference(const nlohmann::json& got, const nlohmann::json& want,
                       const std::string& path) {
  if (got.is_object() && want.is_object()) {
    for (const auto& [key, value] : want.items()) {
      if (!got.contains(key)) return path + "." + key + " is missing";
      auto d = difference(got.at(key), value, path + "." + key);
      if (!d.empty()) return d;
    }
    for (const auto& [key, value] : got.items()) {
      if (!want.contains(key)) return path + "." + key + " is too much: " + value.dump();
    }
    return {};
  }
  if (got.is_array() && want.is_array()) {
    if (got.size() != want.size()) return path + " has another size";
    for (std::size_t i = 0; i < got.size(); ++i) {
      auto d = difference(got[i], want[i], path + "[" + std::to_string(i) + "]");
      if (!d.empty()) return d;
    }
    return {};
  }
  if (got == want) return {};
  return path + " is " + got.dump() + ", should be " + want.dump();
}

}  // namespace golden
