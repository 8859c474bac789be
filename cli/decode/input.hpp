#pragma once
/// What `floe decode` is given: packets in hex, in binary, or in capture files; from arguments,
/// files or standard input.
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/controls.hpp"

namespace floe::cli {

enum class input_format { detect, hex, binary, capture };
std::optional<input_format> input_format_of(std::string_view name);

struct packet_input {
  bytes packet;
  std::optional<control> answered;  ///< of a reply: the opcode of its request, if it is known
  std::string id;                   ///< of a line of a capture file
  bool in_capture = false;
  bool broken_on_purpose = false;
};

/// The whole of a file, or of standard input for "-"; an error text if that fails.
std::expected<std::string, std::string> read_whole(const std::string& path);
/// What the argument stands for: the file of that name, standard input for "-", or itself if it is
/// hex digits.
std::expected<std::string, std::string> read_argument(const std::string& argument);

input_format detect(std::string_view content);
/// The packets in it, or what is wrong with it.
std::expected<std::vector<packet_input>, std::string> packets_in(const std::string& content,
                                                                 input_format);
/// Gives replies the opcode of their request where no capture line says it: the packets before
/// imply it.
void find_opcodes(std::vector<packet_input>&);

}  // namespace floe::cli
