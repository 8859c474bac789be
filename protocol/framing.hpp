#pragma once
/// Cuts a byte stream into packets. One per connection; not thread safe. Any split or merge of
/// packets by the stream is fine.
///
///   for (;;) {
///     auto room = framer.prepare();
///     framer.commit(read(fd, room.data(), room.size()));
///     for (;;) {
///       auto packet = framer.next();
///       if (!packet) { log(packet.error().text()); if (packet.error().fatal) return close();
///       continue; } if (!*packet) break;  // not complete yet deliver(**packet);    // a frame:
///       shared, immutable
///     }
///   }
///
/// Memory: besides one read buffer, never more than four times what has arrived, of which half is not
/// touched; a length field alone allocates nothing. Copies: each byte of a packet is copied once at
/// most, into its frame; of a large packet a few with every commit(), so that no call takes long.
/// Facts: Samba
/// ctdb/common/ctdb_io.c, ctdb/tcp/tcp_io.c, ctdb/server/ctdb_daemon.c.
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "protocol/bytes.hpp"

namespace floe {

/// What a listener puts up with.
struct framing_policy {
  std::size_t max_packet = std::size_t{64} << 20;
  std::uint32_t min_length = 32;
  /// Bytes read at a time, at least 64; packets above half of it are collected apart.
  std::size_t read_buffer = std::size_t{64} << 10;
  bool multiple_of_8 = false;  ///< demand it
  bool check_magic = true;     ///< magic and version
  /// A packet that is too short or not one of ours: give up the connection, or skip it and go on?
  bool bad_packet_is_fatal = false;

  /// Between nodes every fault ends the connection.
  static framing_policy node() { return {.multiple_of_8 = true, .bad_packet_is_fatal = true}; }
  /// Clients may send any length; a bad packet is dropped, the connection kept.
  static framing_policy client() { return {.read_buffer = std::size_t{16} << 10}; }
};

enum class framing_fault : std::uint8_t {
  no_length,  ///< a length too small to count even itself: nobody knows where the next packet
              ///< begins
  too_large,  ///< above the limit
  too_short,  ///< below the header
  not_multiple_of_8,
  bad_magic,
  bad_version,
};

struct framing_error {
  framing_fault why;
  std::uint32_t value;  ///< the length, magic or version that was found
  bool fatal;           ///< false: the packet has been skipped, call next() again
  bytes text() const;
};

class framer {
 public:
  explicit framer(framing_policy policy = {});
  ~framer();
  framer(framer&&) noexcept;
  framer& operator=(framer&&) noexcept;

  /// Where to read to, never empty. Call next() until it has nothing more before. A hint asks for
  /// at least so much room; it is no promise.
  std::span<char> prepare(std::size_t hint = 0);
  /// The first n bytes of that are there now.
  void commit(std::size_t n);
  /// The next packet if all of it has arrived. After a fatal error only errors.
  std::expected<std::optional<frame>, framing_error> next();

  /// Bytes that have arrived and have not been handed out.
  std::size_t pending() const;
  /// Bytes of memory held for them.
  std::size_t allocated() const;

 private:
  struct chunk {
    std::unique_ptr<char[]> data;
    std::size_t begin = 0;  ///< first byte in use
    std::size_t size = 0;   ///< bytes that have arrived
    std::size_t room = 0;   ///< bytes that may arrive, those included
  };

  std::optional<framing_error> check(byte_view start) const;
  void begin_large(std::uint32_t length);
  void begin_whole();
  void move_to_whole(std::size_t most);
  std::optional<frame> finish_large();

  framing_policy policy_;
  // Small packets are cut out of buffer_[begin_, end_). A packet that is larger than half of the
  // buffer is collected in chunks: the buffer itself, then as much again as has arrived, and so on.
  // Once a third of it has arrived there is the frame, to which the rest is read directly while what
  // the chunks hold follows: had they to be copied all at once, whoever sends 64 MB would stop the
  // loop for that time.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::vector<chunk> chunks_;
  std::shared_ptr<bytes>
      whole_;  ///< the frame of the large packet, filled up to moved_ and from the end of the chunks on
  std::size_t moved_ = 0;
  std::size_t large_length_ = 0;  ///< of the packet that is being collected, 0: none
  std::size_t large_arrived_ = 0;
  std::size_t skip_ = 0;  ///< bytes of a bad packet that are still to come
  std::optional<framing_error> broken_;
};

}  // namespace floe
