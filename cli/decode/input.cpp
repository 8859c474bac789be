#include "cli/decode/input.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "cli/decode/capture_file.hpp"
#include "cli/decode/conversation.hpp"
#include "cli/decode/cut.hpp"
#include "cli/decode/hex.hpp"
#include "protocol/packet.hpp"

namespace floe::cli {
namespace {

std::vector<packet_input> from_stream(byte_view stream) {
  std::vector<packet_input> out;
  for (const byte_view one : cut_packets(stream)) out.push_back({.packet = bytes(one)});
  return out;
}

std::expected<std::vector<packet_input>, std::string> from_hex_text(const std::string& text) {
  // a packet in each line if that is what the lines look like, else lines are only line ends in a
  // longer dump
  std::vector<bytes> lines;
  bool each_is_one = true;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    auto octets = from_hex(byte_view(text).substr(begin, end - begin));
    if (octets && !octets->empty()) {
      each_is_one = each_is_one && looks_like_packet(*octets);
      lines.push_back(std::move(*octets));
    }
    each_is_one = each_is_one && octets.has_value();
    begin = end + 1;
  }
  if (each_is_one && lines.size() > 1) {
    std::vector<packet_input> out;
    for (const bytes& line : lines)
      for (auto& p : from_stream(line)) out.push_back(std::move(p));
    return out;
  }
  const auto octets = from_hex(text);
  if (!octets) {
    if (octets.error() == text.size()) return std::unexpected("an odd number of hex digits");
    return std::unexpected("character " + std::to_string(octets.error() + 1) + " is no hex digit");
  }
  return from_stream(*octets);
}

}  // namespace

std::optional<input_format> input_format_of(std::string_view name) {
  if (name == "hex") return input_format::hex;
  if (name == "binary") return input_format::binary;
  if (name == "capture") return input_format::capture;
  return std::nullopt;
}

std::expected<std::string, std::string> read_whole(const std::string& path) {
  struct closer {
    void operator()(std::FILE* f) const {
      if (f != stdin) std::fclose(f);
    }
  };
  const std::unique_ptr<std::FILE, closer> file(path == "-" ? stdin
                                                            : std::fopen(path.c_str(), "rb"));
  if (!file) return std::unexpected(path + ": " + std::strerror(errno));
  std::string out;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;)
    out.append(buffer, n);
  if (std::ferror(file.get())) return std::unexpected(path + ": " + std::strerror(errno));
  return out;
}

std::expected<std::string, std::string> read_argument(const std::string& argument) {
  std::error_code unknown;
  if (argument == "-" || std::filesystem::exists(argument, unknown)) return read_whole(argument);
  if (const auto octets = from_hex(argument); octets && !octets->empty()) return argument;
  return std::unexpected(argument + ": neither a file nor hex digits");
}

input_format detect(std::string_view content) {
  if (looks_like_packet(content))
    return input_format::binary;  // first: its length may be that of a brace
  const auto first = content.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && content[first] == '{') return input_format::capture;
  const auto octets = from_hex(content);
  if (octets) return input_format::hex;
  // a slip in text that is meant as hex should be called one
  const bool is_text = std::ranges::all_of(
      content, [](char c) { return (c >= 0x20 && c < 0x7f) || (c >= 9 && c <= 13); });
  return is_text ? input_format::hex : input_format::binary;
}

std::expected<std::vector<packet_input>, std::string> packets_in(const std::string& content,
                                                                 input_format format) {
  if (format == input_format::detect) format = detect(content);
  std::vector<packet_input> out;
  if (format == input_format::hex) {
    auto all = from_hex_text(content);
    if (!all) return all;
    out = std::move(*all);
  } else if (format == input_format::binary) {
    out = from_stream(content);
  } else {
    auto lines = parse_captures(content);
    if (!lines) return std::unexpected(lines.error());
    for (auto& line : *lines) {
      if (line.bad_hex)
        return std::unexpected("line " + std::to_string(line.number) + ": `hex` is not hex digits");
      out.push_back(
          {std::move(line.packet), line.opcode, line.id(), true, line.broken_on_purpose()});
    }
  }
  return out;
}

void find_opcodes(std::vector<packet_input>& packets) {
  stream_conversation talk;
  for (auto& p : packets) {
    const auto decoded = decode_packet(p.packet);
    if (!decoded) continue;
    const auto implied = talk.follow(*decoded);
    if (!p.answered) p.answered = implied;
  }
}

}  // namespace floe::cli
