#pragma once
/// The right to answer one request, which actors hand to each other, and the answer to a control.
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "actors/net/network.hpp"
#include "protocol/failure_cause.hpp"
#include "protocol/packet.hpp"

namespace floe {

struct control_answer {
  std::int32_t status = 0;  ///< 0 good, negative error; some controls return their value here
  bytes data;
  failure_cause cause = failure_cause::none;
  std::string text;                 ///< for people, may be empty; nobody decides by it
  descriptors_ptr along = nullptr;  ///< to a client on its Unix socket
};

/// The right to answer one control, exactly once. If the last copy is dropped unused, the requester is told -1:
/// a request never stays without an answer because somebody forgot it.
class replier {
 public:
  replier() = default;  ///< nobody waits
  explicit replier(std::function<void(control_answer)> to)
      : state_(std::make_shared<state>(std::move(to))) {}

  void operator()(control_answer a) const {
    if (a.status < 0 && a.cause == failure_cause::none) a.cause = failure_cause::refused;
    if (state_ && state_->to) std::exchange(state_->to, nullptr)(std::move(a));
  }
  void good(bytes data = {}) const { (*this)({.data = std::move(data)}); }
  /// A status that says something by itself.
  void status(std::int32_t s, std::string text = {}) const {
    (*this)({.status = s, .text = std::move(text)});
  }
  void fail(std::string why = {}, failure_cause cause = failure_cause::refused) const {
    (*this)({.status = -1, .cause = cause, .text = std::move(why)});
  }
  bool waits() const { return state_ && state_->to; }

 private:
  struct state {
    explicit state(std::function<void(control_answer)> f) : to(std::move(f)) {}
    ~state() {
      if (to) to({.status = -1, .cause = failure_cause::stopped, .text = "request was given up"});
    }
    state(const state&) = delete;
    std::function<void(control_answer)> to;
  };
  std::shared_ptr<state> state_;
};

}  // namespace floe
