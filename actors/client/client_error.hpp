#pragma once
/// Why a request of a client came to nothing. One code for each reaction of a caller; the rest is
/// text for people.
#include <cstdint>
#include <expected>
#include <string>

#include "protocol/failure_cause.hpp"
#include "protocol/ids.hpp"

namespace floe {

enum class client_errc : std::uint8_t {
  not_connected,  ///< no node listens on the socket, or the connection is not up
  timed_out,     ///< no answer before the request's deadline; whether it was carried out is unknown
  refused,       ///< the node answered with a negative status
  disconnected,  ///< the connection broke with the request under way; whether it was carried out is
                 ///< unknown
  bad_reply,     ///< the answer could not be decoded
};
const char* name(client_errc);

struct client_error {
  client_errc code = client_errc::not_connected;
  std::int32_t status = 0;  ///< refused: what the node said
  std::string text;         ///< refused: the node's words, may be empty; else ours
  pnn node = pnn::current;  ///< whom the request was for
  failure_cause cause = failure_cause::none;  ///< refused: why, as the node says

  /// "refused by node 2: -1, unknown database"
  std::string describe() const;
};

template <class T>
using result = std::expected<T, client_error>;

}  // namespace floe
