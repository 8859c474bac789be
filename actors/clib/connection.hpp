#pragma once
/// What a program holds of its node: the channel of this process, and what has to be said again on another one. A fork drops
/// the channel in the child; a loss ends it, and with FLOE_RECONNECT the next call opens another.
///
///   in the child of a fork          next call
///   ─────────────────────► no channel ───────► channel: who are you, companion, attach again, listen again
///                                 ▲                 │ broken
///                                 └─ FLOE_RECONNECT ┘   without: FLOE_ELOST from now on
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/clib/channel.hpp"
#include "protocol/record.hpp"

namespace floe::clib {

class node_connection {
 public:
  static outcome<std::unique_ptr<node_connection>> open(const std::string& where, unsigned flags,
                                                        limit);
  ~node_connection();
  node_connection(const node_connection&) = delete;

  /// The channel to use for one call.
  outcome<std::shared_ptr<channel>> line(limit);
  /// Whether that is still the channel of this process, so that what was got by it counts.
  bool current(const std::shared_ptr<channel>&);

  /// The record table of a database, if it is known and the node is there; the socket is looked at every few milliseconds.
  std::shared_ptr<shared_table> hot_table(db_id, std::uint64_t now_us);
  bool trusted(shared_table&, std::uint64_t now_us);
  /// Known from now on, as long as that is the channel of this process.
  void remember(const std::shared_ptr<channel>&, db_id, std::shared_ptr<shared_table>);
  /// Another number after a fork: what was locked before is the parent's, and its memory is not here.
  std::uint32_t life() const { return life_.load(std::memory_order_relaxed); }

  pnn self() const { return self_; }
  limit patience() const { return within(patience_ms_); }
  void set_patience(int ms) { patience_ms_ = ms; }

  outcome<db_id> attach(const std::string& name, db_kind, limit);
  /// Not attached anew after a loss.
  void forget_attached(db_id);

  using listener = std::function<void(const letter&)>;
  /// One for each name; an empty one ends it.
  outcome<void> listen(letter_box_name, listener);
  /// Runs handlers; how many.
  outcome<int> process(limit);
  outcome<int> descriptor();

 private:
  friend struct forks;
  node_connection(std::string socket, unsigned flags) : socket_(std::move(socket)), flags_(flags) {}
  outcome<void> greet(channel&, limit);
  outcome<db_id> attach_by(channel&, const std::string& name, db_kind, limit);
  const std::shared_ptr<channel::mailbox>& mailbox();
  void close_descriptors();
  void take_wake_back();
  void forget_parent();

  const std::string socket_;
  const unsigned flags_;
  pnn self_ = pnn::unknown;
  std::atomic<int> patience_ms_{60'000};
  std::mutex connecting_;  ///< one thread at a time opens a channel
  std::mutex m_;  ///< guards what follows; held for moments, so that a fork waits for moments
  std::atomic<std::uint32_t> life_ = 0;
  std::vector<std::pair<db_id, std::shared_ptr<shared_table>>> hot_;  ///< of channel_
  std::shared_ptr<channel> channel_;
  int socket_fd_ = -1;  ///< of channel_
  bool lost_ = false;   ///< for good
  std::vector<std::pair<std::string, db_kind>> attached_;
  std::map<letter_box_name, std::shared_ptr<const listener>> listeners_;
  std::shared_ptr<channel::mailbox> box_;
  int poll_fd_ = -1,
      wake_fd_ = -1;  ///< an epoll of the socket and of an eventfd, which says that letters wait
};

}  // namespace floe::clib

/// What the C functions pass around.
struct floe_connection {
  std::unique_ptr<floe::clib::node_connection> is;
};

namespace floe::clib {

/// Of what a program calls a connection; throws what `guarded` makes FLOE_EINVAL of.
inline node_connection& of(floe_connection* c) {
  if (!c) throw std::invalid_argument("no connection");
  return *c->is;
}

}  // namespace floe::clib
