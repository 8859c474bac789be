#pragma once
/// One direction of a TCP connection, put together from segments that come in any order, more than
/// once, or not at all.
#include <cstdint>
#include <map>

#include "cli/decode/stream_packets.hpp"

namespace floe::cli {

class tcp_stream {
 public:
  explicit tcp_stream(stream_packets::function packet) : packets_(false, std::move(packet)) {}
  /// The connection begins: the next byte has the sequence number behind this one.
  void begin(std::uint32_t sequence);
  void segment(std::uint32_t sequence, byte_view data);
  /// Nothing more comes: what waits for missing bytes is taken without them.
  void end();
  /// Bytes that never came.
  std::uint64_t missing() const { return missing_; }

 private:
  void take_waiting();
  void skip_gap();

  stream_packets packets_;
  bool started_ = false;
  std::int64_t next_ = 0;                  ///< sequence number, without wrapping
  std::map<std::int64_t, bytes> waiting_;  ///< segments from the future
  std::size_t waiting_bytes_ = 0;
  std::uint64_t missing_ = 0;
};

}  // namespace floe::cli
