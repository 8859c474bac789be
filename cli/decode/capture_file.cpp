#include "cli/decode/capture_file.hpp"

#include "cli/decode/hex.hpp"

namespace floe::cli {
namespace {

std::string text_of(const nlohmann::json& object, const char* member) {
  const auto i = object.find(member);
  return i != object.end() && i->is_string() ? i->get<std::string>() : std::string();
}

std::expected<capture_line, std::string> parse_line(const std::string& text) {
  capture_line line;
  try {
    line.said = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    return std::unexpected("not JSON from character " + std::to_string(e.byte) + " on");
  }
  if (!line.said.is_object()) return std::unexpected("not a JSON object");
  const auto hex = line.said.find("hex");
  if (hex == line.said.end() || !hex->is_string())
    return std::unexpected("no packet in it: the text `hex` is missing");
  auto packet = from_hex(hex->get_ref<const std::string&>());
  if (packet)
    line.packet = std::move(*packet);
  else
    line.bad_hex = packet.error();
  const auto opcode = line.said.find("control");
  if (opcode != line.said.end() && opcode->is_number_unsigned())
    line.opcode = control{static_cast<std::uint32_t>(opcode->get<std::uint64_t>())};
  return line;
}

}  // namespace

std::string capture_line::id() const { return text_of(said, "id"); }
bool capture_line::hand_made() const { return text_of(said, "about").starts_with("hand-made"); }
bool capture_line::broken_on_purpose() const {
  const auto i = said.find("fields");
  return i != said.end() && i->is_null();
}

std::expected<std::vector<capture_line>, std::string> parse_captures(const std::string& text) {
  std::vector<capture_line> out;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (one.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto line = parse_line(one);
    if (!line) return std::unexpected("line " + std::to_string(number) + ": " + line.error());
    line->number = number;
    out.push_back(std::move(*line));
  }
  return out;
}

}  // namespace floe::cli
