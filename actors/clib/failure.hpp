#pragma once
/// Why a call came to nothing, inside the library: a code of floe/client.h and words for people. The C functions turn it into
/// their result and the thread's error text (report).
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "actors/clib/include/floe/client.h"
#include "protocol/failure_cause.hpp"

namespace floe::clib {

struct failure {
  int code = FLOE_EINVAL;
  std::string text;
  std::int32_t status = 0;                    ///< FLOE_EREFUSED: what the node said
  failure_cause cause = failure_cause::none;  ///< FLOE_EREFUSED: why, as the node says
  bool unsent = false;  ///< FLOE_ELOST: nothing of the request had left this process
};
template <class T>
using outcome = std::expected<T, failure>;

inline std::unexpected<failure> failed(int code, std::string text) {
  return std::unexpected(failure{.code = code, .text = std::move(text)});
}

using steady = std::chrono::steady_clock;
/// When a wait ends; nothing: it does not.
using limit = std::optional<steady::time_point>;

inline limit within(int timeout_ms) {
  if (timeout_ms < 0) return std::nullopt;
  return steady::now() + std::chrono::milliseconds(timeout_ms);
}
inline limit later(limit l, std::chrono::milliseconds by) { return l ? limit(*l + by) : l; }
inline bool passed(const limit& l) { return l && steady::now() >= *l; }
/// Milliseconds until then, at least `least`; -1: for ever.
int milliseconds_left(const limit&, int least = 0);

/// Keeps the words for floe_error_text and returns the code.
int report(const failure&) noexcept;
int report(int code, const char* text) noexcept;

/// The body of a C function: what it throws becomes a code.
template <class Body>
int guarded(Body body) noexcept {
  try {
    const outcome<void> done = body();
    return done ? static_cast<int>(FLOE_OK) : report(done.error());
  } catch (const std::bad_alloc&) {
    return report(FLOE_ENOMEM, "out of memory");
  } catch (const std::exception& e) {
    return report(FLOE_EINVAL, e.what());
  } catch (...) {
    return report(FLOE_EINVAL, "a handler has thrown something");
  }
}

}  // namespace floe::clib
