#pragma once
/// Is the file of a persistent database sound? LMDB trusts its pages: reading a damaged file can
/// show wrong records, and can kill the process that reads. So after an unclean shutdown a process
/// of its own walks through the file before the node opens it; a damaged file is set aside, never
/// repaired and never deleted. Nobody may have the file open meanwhile.
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>

#include "storage/error.hpp"
#include "storage/key.hpp"

namespace floe {

struct health_report {
  bool sound = false;
  std::uint64_t records = 0;  ///< that were read, also of a damaged file
  std::string finding;        ///< what is wrong, or empty
};

/// Walks through everything in this process, which a damaged file may kill. An error means that the
/// file could not be examined (it is missing, not readable, ...), not that it is damaged.
std::expected<health_report, store_error> check_file(const std::filesystem::path& file,
                                                     long_key_hash hash = hash_long_key);

/// The same in a child: runs `command` with the file's name as a further argument, which must come
/// to health_child(). A child that is killed, or does not end within the limit, has met damage.
std::expected<health_report, store_error> check_file_in_child(std::span<const std::string> command,
                                                              const std::filesystem::path& file,
                                                              std::chrono::milliseconds limit);
/// The child's part: writes the report to standard output; the result is its exit code.
int health_child(const std::filesystem::path& file);

/// Renames a damaged file to FILE.corrupt.20110818T051623Z (with -2, -3 ... if that exists) and
/// removes its lock file. The new name.
std::expected<std::filesystem::path, store_error> set_aside(
    const std::filesystem::path& file, std::chrono::system_clock::time_point now);

}  // namespace floe
