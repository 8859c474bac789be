#include "cli/octet_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace floe::cli {
namespace {

struct closer {
  void operator()(std::FILE* f) const {
    if (f != stdin && f != stdout) std::fclose(f);
  }
};
using file = std::unique_ptr<std::FILE, closer>;

std::unexpected<std::string> failed(const std::string& path) {
  return std::unexpected((path == "-" ? "standard stream" : path) + ": " + std::strerror(errno));
}

}  // namespace

std::expected<bytes, std::string> read_file(const std::string& path) {
  const file f(path == "-" ? stdin : std::fopen(path.c_str(), "rbe"));
  if (!f) return failed(path);
  bytes all;
  char part[65536];
  while (const auto n = std::fread(part, 1, sizeof part, f.get())) all.append(part, n);
  if (std::ferror(f.get())) return failed(path);
  return all;
}

std::expected<void, std::string> write_file(const std::string& path, byte_view content) {
  const file f(path == "-" ? stdout : std::fopen(path.c_str(), "wbe"));
  if (!f || std::fwrite(content.data(), 1, content.size(), f.get()) != content.size() ||
      std::fflush(f.get()) != 0)
    return failed(path);
  return {};
}

}  // namespace floe::cli
