#pragma once
/// The client for programs that do one thing after the other: owns its loop and waits for each
/// answer. For many things at once, `wait` runs anything asynchronous to its end.
///
///   auto node = blocking_client::connect("/run/ctdbd.socket", 3s);
///   auto db = node->attach("locking.tdb", db_kind::volatile_db, 3s);
///   auto lock = node->lock(*db, "key", 10s);
///   lock->store("value", 3s);
///   // unlocked here
#include <memory>
#include <utility>

#include "actors/client/many_nodes.hpp"
#include "actors/client/records.hpp"

namespace floe {

class blocking_client;

/// A record lock that is given back at the end of the scope.
class held_lock {
 public:
  held_lock(blocking_client& owner, locked_record r) : owner_(&owner), record_(std::move(r)) {}
  ~held_lock();
  held_lock(held_lock&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), record_(std::move(other.record_)) {}
  held_lock& operator=(held_lock&&) = delete;

  /// As it was when the lock was granted.
  const bytes& data() const { return record_.data; }
  const record_header& header() const { return record_.header; }
  std::uint64_t id() const { return record_.lock_id; }

  result<void> store(byte_view data, duration patience, after_write = after_write::keep_lock);
  result<void> remove(duration patience, after_write = after_write::keep_lock);
  result<void> unlock(duration patience);

 private:
  blocking_client* owner_;  ///< null: given back
  locked_record record_;
};

class blocking_client {
 public:
  static result<blocking_client> connect(const std::string& socket, duration patience);
  blocking_client(blocking_client&&) noexcept;
  ~blocking_client();

  client& async();
  event_loop& loop();
  pnn self();

  /// For who wants to say that it waits: called when a wait begins, and when it has ended.
  void on_waits(std::function<void()> begins, std::function<void()> ends);
  /// Of those that were asked for something at once, who has not answered yet.
  const std::vector<pnn>& awaited() const;

  /// Starts something and runs the loop until it is done. `start` is given the function to call at
  /// its end; whatever it starts must have a deadline.
  template <class T, class Start>
  result<T> wait(Start start) {
    // shared: the callback may outlive a wait that its connection cut short
    auto answer = std::make_shared<std::optional<result<T>>>();
    start([answer, &on = loop()](const result<T>& r) {
      *answer = r;
      on.after(duration{0}, [] {});  // the loop looks whether we are done only after it has waited
    });
    run([answer] { return answer->has_value(); });
    return std::move(**answer);
  }

  template <floe::control C>
  result<client_answer<reply_of<C>>> control(pnn to, const request_of<C>& request,
                                             duration patience) {
    return decode_answer<C>(send_control(to, C, encode_request<C>(request), patience), to);
  }
  result<client_reply> send_control(pnn to, floe::control, bytes data, duration patience,
                                    request_options = {});

  /// One entry for each node, in the order given; takes as long as the slowest.
  std::vector<node_reply> control_many(const std::vector<pnn>& nodes, floe::control,
                                       const bytes& data, duration patience);

  result<db_id> attach(byte_view name, db_kind, duration patience);
  result<db_id> find_database(byte_view name_or_id, duration patience);
  result<held_lock> lock(db_id, byte_view key, duration patience);
  result<read_record_answer> read(db_id, byte_view key, duration patience,
                                  read_from = read_from::owner);

 private:
  struct impl;
  explicit blocking_client(std::unique_ptr<impl>);
  void run(const std::function<bool()>& done);
  std::unique_ptr<impl> impl_;
};

}  // namespace floe
