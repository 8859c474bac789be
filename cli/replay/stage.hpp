#pragma once
/// Where a story with several nodes plays: one loop, a client of each node that reconnects by
/// itself, and an ear for Ctrl-C, which ends every wait.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/client/records.hpp"

namespace floe::cli {

class stage {
 public:
  explicit stage(std::size_t nodes);
  ~stage();
  stage(const stage&) = delete;

  /// Returns when all are connected.
  result<void> connect(const std::vector<std::string>& sockets, duration patience);

  event_loop& loop();
  std::size_t size() const;
  client& node(std::size_t);
  bool interrupted() const;
  double ms_since(time_point) const;

  /// False: not within the time, or interrupted.
  bool run_until(const std::function<bool()>& done, duration patience);

  /// As blocking_client::wait.
  template <class T, class Start>
  result<T> wait(Start start) {
    auto answer = std::make_shared<std::optional<result<T>>>();
    start([answer, &on = loop()](const result<T>& r) {
      *answer = r;
      on.after(duration{0}, [] {});  // the loop looks whether we are done only after it has waited
    });
    if (!run_until([answer] { return answer->has_value(); }, std::chrono::hours(1)))
      return std::unexpected(client_error{client_errc::timed_out, 0, "interrupted", pnn::current});
    return std::move(**answer);
  }
  template <floe::control C>
  result<client_answer<reply_of<C>>> control(std::size_t at, const request_of<C>& request) {
    auto r = wait<client_reply>([&](auto done) {
      node(at).send_control(pnn::current, C, encode_request<C>(request), usual_patience, done);
    });
    return decode_answer<C>(r, pnn{static_cast<std::uint32_t>(at)});
  }
  /// Asks again and again until the answer pleases; false: not within the time.
  bool poll(const std::function<bool()>& pleases, duration patience);
  void pause(duration);

  static constexpr duration usual_patience = std::chrono::seconds(10);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace floe::cli
