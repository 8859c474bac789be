#include "actors/recovery/life.hpp"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "actors/plain_file.hpp"

namespace floe {
namespace {

/// Nothing: there is no such file, or something else in it.
std::optional<std::uint32_t> number_in(const std::string& path) {
  const auto text = read_plain_file(path, 64);
  if (!text || !*text) return std::nullopt;
  const std::string& digits = **text;
  std::uint32_t n = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (read.ec != std::errc{} || std::string_view(read.ptr) != "\n") return std::nullopt;
  return n;
}

}  // namespace

node_life begin_life(const std::string& state_dir, std::uint32_t otherwise) {
  if (state_dir.empty()) return {.number = otherwise, .error = {}};
  const std::string path = state_dir + "/life", next = path + ".new";
  const auto last = number_in(path);
  node_life life{.number = last ? *last + 1 : otherwise, .error = {}};
  std::ofstream out(next, std::ios::trunc);
  out << life.number << '\n' << std::flush;
  std::error_code failed;
  if (out) std::filesystem::rename(next, path, failed);
  if (!out) life.error = "cannot write " + next + ": " + std::strerror(errno);
  if (failed) life.error = "cannot rename " + next + ": " + failed.message();
  if (!life.error.empty()) life.number = otherwise;
  return life;
}

}  // namespace floe
