#pragma once
/// One connection to a node's Unix socket, used by many threads at once. Whoever waits for something while nobody reads the
/// socket reads it, for all: answers go to those who wait for them, messages into mailboxes. It never reconnects; that is a
/// new channel. All waits have a limit of the caller's.
///
/// A grant of a lock that arrives when its asker has given up is given back at once.
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/clib/failure.hpp"
#include "actors/clib/shared_tables.hpp"
#include "protocol/bytes.hpp"
#include "protocol/controls.hpp"
#include "protocol/framing.hpp"
#include "protocol/ids.hpp"
#include "protocol/packet.hpp"

namespace floe::clib {

/// Descriptors that came with an answer; closed with this, those that are taken excepted.
struct parcel_fds {
  std::vector<int> fds;
  ~parcel_fds();
  int take(std::size_t i) { return std::exchange(fds[i], -1); }
};

struct answer {
  frame packet;
  std::int32_t status = 0;
  byte_view data;  ///< points into the packet
  std::shared_ptr<parcel_fds> along = nullptr;
};

/// Who may be granted a lock in a record table by an answer that comes too late.
struct table_claim {
  std::shared_ptr<shared_table> table;
  std::uint32_t number = 0;
  bytes key;
};

/// What letters are for: a srvid, or a tunnel's id.
struct letter_box_name {
  enum class kind : std::uint8_t { message, tunnel } is = kind::message;
  std::uint64_t id = 0;
  auto operator<=>(const letter_box_name&) const = default;
};

struct letter {
  frame packet;
  letter_box_name to;
  pnn from{0};              ///< of a message
  std::uint32_t flags = 0;  ///< of a tunnel's packet
  byte_view data;           ///< points into the packet
};

class channel {
 public:
  /// `as_root`: the calling thread acts as root while it connects, if it may.
  static outcome<std::shared_ptr<channel>> open(const std::string& socket, bool as_root, limit);
  ~channel();
  channel(const channel&) = delete;

  int fd() const { return fd_; }
  bool broken();
  /// The record table of a database; null if it has none. Asks the node at the first use.
  std::shared_ptr<shared_table> table(db_id, limit);
  /// What `old` is now: the database may have been detached, and attached again with another table.
  std::shared_ptr<shared_table> table_after(const std::shared_ptr<shared_table>& old, db_id, limit);

  struct request {
    pnn to = pnn::current;
    control opcode{};
    floe::srvid srvid{0};
    std::uint32_t flags = 0;
    byte_view data;
  };
  /// A status below 0 is a failure with the node's words (FLOE_EREFUSED).
  outcome<answer> ask(const request&, limit, const table_claim* = nullptr);
  /// The same question to several nodes at once, whatever `to` says in it: a result for each, in the order given.
  std::vector<outcome<answer>> ask_many(const request&, std::span<const pnn> nodes, limit);
  /// With NOREPLY.
  outcome<void> tell(const request&, limit);
  outcome<void> post(pnn to, floe::srvid, byte_view data, limit);
  outcome<void> post(pnn to, const req_tunnel&, limit);

  /// Letters go to the mailbox of their name while there is one; several names may share a box.
  struct mailbox {
    std::deque<letter> letters;
    std::size_t most = SIZE_MAX;  ///< further ones are dropped
    std::atomic<bool> dropped = false;
    std::atomic<int> wake = -1;  ///< an eventfd that is written when a letter comes
  };
  void open_box(letter_box_name, std::shared_ptr<mailbox>);
  void close_box(letter_box_name);
  /// The oldest letter of the box; nothing at the limit.
  outcome<std::optional<letter>> take(mailbox&, limit);

 private:
  explicit channel(int fd) : fd_(fd) {}
  struct waiting {
    bool done = false;
    bool brings_table = false;
    reply_control content;  ///< views into `packet`
    frame packet;
    std::shared_ptr<parcel_fds> along;
  };

  std::uint32_t expect(waiting&);
  outcome<void> send_request(std::uint32_t id, const request&, limit);
  static outcome<answer> result_of(const waiting&, control);
  template <class Done>
  outcome<bool> wait(std::unique_lock<std::mutex>&, limit, Done done);
  outcome<void> send(const bytes& packet, limit);
  std::optional<std::string> receive(limit);
  void sort_in(frame);
  void deliver(letter);
  void give_back(const reply_control& late_grant, const table_claim&);
  void keep_descriptors(const msghdr&);
  void give_back_what_came_too_late(std::unique_lock<std::mutex>&);
  failure lost(bool unsent = false) const;

  const int fd_;
  std::timed_mutex sending_;
  std::mutex m_;  ///< guards all below; never held while waiting for the node
  std::condition_variable changed_;
  bool reading_ = false;  ///< a thread is at the socket; the framer is its own
  framer framer_{framing_policy::client()};
  std::string broken_;  ///< why; empty: it is not
  std::uint32_t last_id_ = 0;
  std::unordered_map<std::uint32_t, waiting*> waiting_;
  std::unordered_map<std::uint32_t, table_claim> abandoned_locks_;
  std::set<std::uint32_t> abandoned_tables_;
  std::vector<std::uint64_t> too_late_;  ///< locks that were granted to those
  std::deque<std::shared_ptr<parcel_fds>>
      came_;  ///< each for one of the next answers that bring a table
  shared_tables tables_;
  std::map<letter_box_name, std::shared_ptr<mailbox>> boxes_;
};

}  // namespace floe::clib
