#pragma once
/// Writes packets that were seen as lines of a capture file (tests/golden/README.md).
#include <cstdint>
#include <cstdio>
#include <string>

#include "cli/decode/conversation.hpp"

namespace floe::cli {

enum class seen_direction { to_daemon, to_client, between_nodes };

struct sighting {
  seen_direction dir;
  std::uint64_t connection;  ///< of a client: who chooses the reqids
  std::string channel;       ///< for people: who talks to whom
  double t;                  ///< seconds since the capture began
};

class recorder {
 public:
  explicit recorder(std::FILE* out) : out_(out) {}
  void packet(byte_view whole, const sighting&);
  std::size_t count() const { return count_; }
  /// False if not everything could be written.
  bool flush();

 private:
  std::FILE* out_;
  std::size_t count_ = 0;
  conversation open_;
};

}  // namespace floe::cli
