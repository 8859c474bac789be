#pragma once
/// A blocking client connection to the Unix socket of one node, floe's or ctdbd's, for
/// measurements: one request at a time, no more, and messages. Packets are put together by hand, on purpose apart
/// from protocol/, so that what is measured against ctdbd does not share the codec of what is
/// measured. Errors end the program: a measurement with errors is none.
///
/// Layouts: Samba ctdb/protocol/protocol_header.c, protocol_packet.c (header, REQ_CALL,
/// REQ_MESSAGE, REQ_CONTROL, REPLY_CONTROL).
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace floe::bench {

using bytes = std::vector<std::byte>;

[[noreturn]] void give_up(const std::string& why);

/// Appends a number, in host order as all of CTDB's numbers, or raw bytes.
template <class T>
requires std::is_integral_v<T>
void put(bytes& to, T value) {
  const auto raw = std::as_bytes(std::span{&value, 1});
  to.insert(to.end(), raw.begin(), raw.end());
}
void put(bytes& to, std::span<const std::byte> raw);
void put(bytes& to, std::string_view text);

template <class T>
T get(std::span<const std::byte> from, std::size_t offset) {
  if (offset + sizeof(T) > from.size()) give_up("an answer is too short");
  T value;
  std::memcpy(&value, from.data() + offset, sizeof(T));
  return value;
}

class connection {
 public:
  explicit connection(const std::string& socket_path);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  struct reply {
    std::int32_t status;
    bytes data;
  };
  /// One control to the node itself, and its answer.
  reply control(std::uint32_t opcode, std::span<const std::byte> data);
  /// The same, where only success will do.
  bytes must(std::uint32_t opcode, std::span<const std::byte> data);
  /// REQ_CALL NULL with IMMEDIATE_MIGRATION: returns when the node has become the record's dmaster, or
  /// with WANT_READONLY when it may have a copy.
  void migrate(std::uint32_t db_id, std::string_view key, bool read_only = false);
  /// The number of the node.
  std::uint32_t pnn();
  /// From now on messages to this srvid come here.
  void subscribe(std::uint64_t srvid);
  void message(std::uint32_t to, std::uint64_t srvid, std::string_view data);
  /// Waits for one.
  void receive_message(std::uint64_t srvid);
  int descriptor() const { return socket_; }
  /// Descriptors that have come with answers.
  std::vector<int> take_descriptors() { return std::exchange(descriptors_, {}); }

 private:
  struct packet {
    std::uint32_t operation;
    std::uint32_t request;
    bytes body;
  };
  void send(std::uint32_t operation, std::span<const std::byte> body, std::uint32_t to);
  reply control(std::uint32_t opcode, std::uint64_t srvid, std::span<const std::byte> data);
  packet receive();
  packet answer(std::uint32_t operation);

  void read_all(std::span<std::byte> data);

  int socket_ = -1;
  std::vector<int> descriptors_;
  std::uint32_t last_request_ = 0;
  std::uint32_t pnn_ = 0xFFFFFFFF;
};

}  // namespace floe::bench
