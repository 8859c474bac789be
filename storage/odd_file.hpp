#pragma once
/// What stands where the file of a database should, if it is no file: to open a FIFO, or a device, may wait for ever.
#include <filesystem>

namespace floe {

/// "a directory", "a FIFO" ...; empty for a regular file, and if there is nothing.
inline const char* odd_kind(const std::filesystem::path& file) {
  std::error_code error;
  switch (std::filesystem::status(file, error).type()) {
    case std::filesystem::file_type::directory: return "a directory";
    case std::filesystem::file_type::fifo: return "a FIFO";
    case std::filesystem::file_type::socket: return "a socket";
    case std::filesystem::file_type::block:
    case std::filesystem::file_type::character: return "a device";
    default: return "";
  }
}

}  // namespace floe
