#pragma once
/// Actors without CAF in sight. An actor's logic is a class derived from `actor<Message>`, where Message is a
/// std::variant of everything it understands; it owns its state, receives one message at a time, and reaches
/// others only through their `address`. CAF carries the messages and schedules the work (caf_runtime.cpp, the only
/// file that includes it); a test can hand in addresses that merely collect.
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "actors/runtime/event_loop.hpp"

namespace floe {

/// Where messages for one actor go. Putting into the mailbox of an actor that has ended does nothing.
class mailbox {
 public:
  virtual ~mailbox() = default;
  virtual void put(std::shared_ptr<void> message) = 0;
};

/// A handle to an actor that understands Message. Copying is cheap; a default one swallows everything.
template <class Message>
class address {
 public:
  address() = default;
  explicit address(std::shared_ptr<mailbox> box) : box_(std::move(box)) {}
  void tell(Message m) const {
    if (box_) box_->put(std::make_shared<Message>(std::move(m)));
  }
  explicit operator bool() const { return box_ != nullptr; }
  bool operator==(const address&) const = default;

 private:
  std::shared_ptr<mailbox> box_;
};

/// What the runtime needs of an actor, whatever it understands.
class actor_base {
 public:
  virtual ~actor_base() = default;
  virtual void start() {}
  virtual void receive_any(void* message) = 0;
  virtual void adopt(std::shared_ptr<mailbox> own) = 0;
  bool ended() const { return ended_; }

 protected:
  /// No message is received after the current one; the state is destroyed.
  void end() { ended_ = true; }

 private:
  bool ended_ = false;
};

template <class Message>
class actor : public actor_base {
 public:
  using message_type = Message;
  virtual void receive(Message& m) = 0;

  void receive_any(void* message) final { receive(*static_cast<Message*>(message)); }
  void adopt(std::shared_ptr<mailbox> own) final { self_ = address<Message>(std::move(own)); }

 protected:
  const address<Message>& self() const { return self_; }

 private:
  address<Message> self_;
};

/// Starts actors on a loop and ends them. Create one per process, or one per simulation for all its nodes.
class actor_runtime {
 public:
  explicit actor_runtime(event_loop& loop);
  ~actor_runtime();  ///< ends all actors that still live and waits for it
  actor_runtime(const actor_runtime&) = delete;

  event_loop& loop() { return loop_; }
  std::shared_ptr<mailbox> spawn_any(std::shared_ptr<actor_base>, const char* name);
  std::size_t living() const;

  template <class Actor, class... Args>
  address<typename Actor::message_type> spawn(const char* name, Args&&... args) {
    return address<typename Actor::message_type>(
        spawn_any(std::make_shared<Actor>(std::forward<Args>(args)...), name));
  }

 private:
  struct impl;
  event_loop& loop_;
  std::unique_ptr<impl> impl_;
};

}  // namespace floe
