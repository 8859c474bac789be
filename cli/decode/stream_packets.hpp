#pragma once
/// Packets out of one direction of a connection that somebody else has: bytes come in pieces,
/// packets go to a function. Broken packets are handed out like good ones.
#include <functional>

#include "protocol/framing.hpp"

namespace floe::cli {

class stream_packets {
 public:
  using function = std::function<void(byte_view)>;
  /// from_start: the first byte is the first of a packet; else the first packet is searched for.
  stream_packets(bool from_start, function packet);
  void feed(byte_view);
  /// Bytes are missing here: a packet is searched for in what follows.
  void gap();

 private:
  void cut(byte_view);

  function packet_;
  framer framer_;
  bool in_step_;
  bool lost_ = false;  ///< after a length that nobody can follow
  bytes searched_;     ///< while not in step
};

}  // namespace floe::cli
