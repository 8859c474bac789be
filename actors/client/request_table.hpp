#pragma once
/// The requests of one client that have no answer yet: matches answers by reqid, knows all
/// deadlines. It does no I/O and reads no clock; packets and time are handed in.
///
/// Every request ends exactly once: by its answer, its deadline, or fail_all. Handlers may start
/// new requests. A request can have a second handler for an answer that comes after its deadline:
/// what was granted too late must be given back.
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "actors/client/client_error.hpp"
#include "protocol/bytes.hpp"
#include "protocol/packet.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

/// An answer with a status that is not negative; `data` and `error` point into `raw`.
struct client_reply {
  frame raw;
  std::int32_t status = 0;
  byte_view data;
  byte_view error;
};
using reply_handler = std::function<void(result<client_reply>)>;

class request_table {
 public:
  reqid add(pnn to, time_point deadline, reply_handler done, reply_handler late = nullptr);
  /// False if the packet answers nothing that is known (an answer after the deadline, mostly).
  bool answer(const frame& raw, const packet&);
  /// Ends every request whose deadline has come.
  void expire(time_point now);
  std::optional<time_point> next_deadline() const;
  void fail_all(const client_error& why);
  /// Forgets all of them, calling nobody.
  void clear();
  std::size_t size() const { return open_.size(); }

 private:
  struct request {
    pnn to;
    time_point deadline;
    reply_handler done;
    reply_handler late;
  };
  reqid unused_id();

  std::uint32_t last_ = 0;
  std::unordered_map<std::uint32_t, request> open_;
  std::set<std::pair<time_point, std::uint32_t>> deadlines_;
  std::unordered_map<std::uint32_t, request>
      given_up_;  ///< past their deadline, with a handler for a late answer
};

}  // namespace floe
