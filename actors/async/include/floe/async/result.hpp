#ifndef FLOE_ASYNC_RESULT_HPP
#define FLOE_ASYNC_RESULT_HPP
/* What a request comes to: a value, or why there is none. Part of floe/async.hpp. */
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#define FLOE_ASYNC_API __attribute__((visibility("default")))

namespace floe::async {

/// How long a request may take, how long something waits.
using limit = std::chrono::milliseconds;

/// Why a request came to nothing: one code for each way to react. New ones may come; treat those as `refused`.
enum class errc : int {
  not_connected = 1,  ///< there is no connection to a node: nothing was asked
  timed_out =
      2,  ///< not answered, or a lock not granted, in time; but for locks it is not known whether it was done
  refused = 3,       ///< the node says no: `status`, and its words in `text`
  disconnected = 4,  ///< the connection broke or was closed; whether it was done is not known
  bad_reply = 5,     ///< the answer cannot be understood
  no_lock = 6,       ///< the record lock is not held (any more)
  no_database =
      7,  ///< find: no database of this name is attached (what else names an unknown one is refused)
  not_stored = 8,  ///< the node could not write; what was there is still there
};
/// "timed out"; never null.
FLOE_ASYNC_API const char* name(errc) noexcept;

struct error {
  errc code = errc::not_connected;
  std::int32_t status = 0;  ///< refused: the negative status of the answer; else 0
  std::uint32_t node = 0;   ///< whom the request was for; floe::async::here: the own node
  std::string text;         ///< for people; may be empty

  /// "refused by node 2 (-1): unknown database"
  FLOE_ASYNC_API std::string describe() const;
};

/// The value of a request, or its error: look before you take.
///
///   if (r) use(*r); else say(r.why().describe());
template <class T>
class result {
 public:
  result(T value) : value_(std::move(value)) {}
  result(error why) : why_(std::move(why)) {}

  explicit operator bool() const noexcept { return value_.has_value(); }
  /// Throws std::bad_optional_access if there is none.
  T& operator*() & { return value_.value(); }
  const T& operator*() const& { return value_.value(); }
  T&& operator*() && { return std::move(value_.value()); }
  T* operator->() { return &value_.value(); }
  const T* operator->() const { return &value_.value(); }
  /// Meaningful if there is no value.
  const error& why() const noexcept { return why_; }

 private:
  std::optional<T> value_;
  error why_;
};

template <>
class result<void> {
 public:
  result() = default;
  result(error why) : why_(std::move(why)) {}

  explicit operator bool() const noexcept { return !why_; }
  /// Only if it failed; throws std::bad_optional_access otherwise.
  const error& why() const { return why_.value(); }

 private:
  std::optional<error> why_;
};

/// Called once, with what a request has come to.
template <class T>
using done = std::function<void(result<T>)>;

}  // namespace floe::async
#endif
