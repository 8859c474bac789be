#pragma once
/// A control on its way to whoever carries it out, and what its handler says in the end. The types are those of
/// its row in controls.def; control_table decodes and encodes, handlers see values:
///
///   outcome_of<control::getvnnmap> get_vnnmap() const;
///   outcome_of<control::setvnnmap> set_vnnmap(const request_of<control::setvnnmap>&, const caller&);
///   void statistics(answer_to<control::statistics>);  // answers later
///
/// A handler takes what it needs of request, caller and answer, in this order. One that takes the answer must
/// use it once; if it is forgotten, the caller is told -1 by itself.
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "actors/parcel.hpp"
#include "actors/replier.hpp"
#include "actors/session/session_message.hpp"
#include "protocol/controls.hpp"

namespace floe {

/// Who wants a control carried out.
struct caller {
  control opcode{};
  pnn from{0};                       ///< the node it came from; our own for our clients and actors
  std::optional<client_ref> client;  ///< a client of this node
  floe::srvid srvid{0};              ///< of the packet
  std::uint32_t flags = 0;           ///< control_flag bits
  std::uint32_t client_id = 0;  ///< as the packet says; not 0: a client, perhaps of another node
  parcel_ptr packet;            ///< what the request's views point into
};

template <control C>
using outcome_of = std::expected<reply_of<C>, control_answer>;

inline std::unexpected<control_answer> refuse(std::string why = {}) {
  return std::unexpected(
      control_answer{.status = -1, .cause = failure_cause::refused, .text = std::move(why)});
}
/// A status that says something by itself, and no data.
inline std::unexpected<control_answer> status_of(std::int64_t status, std::string text = {}) {
  return std::unexpected(
      control_answer{.status = static_cast<std::int32_t>(status), .text = std::move(text)});
}

/// The right to answer a control with a value of its row's type.
template <class Reply>
class typed_replier {
 public:
  explicit typed_replier(replier to) : to_(std::move(to)) {}
  void operator()(const std::expected<Reply, control_answer>& o) const {
    o ? to_.good(wire::encode(*o)) : to_(o.error());
  }
  void good(const Reply& value = {}) const { to_.good(wire::encode(value)); }
  void fail(std::string why = {}) const { to_.fail(std::move(why)); }
  /// For those who do not know the type: to pass on what another answer was.
  const replier& plain() const { return to_; }

 private:
  replier to_;
};
template <control C>
using answer_to = typed_replier<reply_of<C>>;

/// Calls a handler, a member function of `service`, with what it takes.
template <control C, class Service, class Handler>
void call_handler(Service& service, Handler h, const request_of<C>& request, const caller& by,
                  const replier& answer) {
  using value = const request_of<C>&;
  using who = const caller&;
  using late = answer_to<C>;
  const late to(answer);
  if constexpr (std::is_invocable_v<Handler, Service&, value, who, late>)
    std::invoke(h, service, request, by, to);
  else if constexpr (std::is_invocable_v<Handler, Service&, value, late>)
    std::invoke(h, service, request, to);
  else if constexpr (std::is_invocable_v<Handler, Service&, who, late>)
    std::invoke(h, service, by, to);
  else if constexpr (std::is_invocable_v<Handler, Service&, late>)
    std::invoke(h, service, to);
  else if constexpr (std::is_invocable_v<Handler, Service&, value, who>)
    to(std::invoke(h, service, request, by));
  else if constexpr (std::is_invocable_v<Handler, Service&, value>)
    to(std::invoke(h, service, request));
  else if constexpr (std::is_invocable_v<Handler, Service&, who>)
    to(std::invoke(h, service, by));
  else
    to(std::invoke(h, service));
}

}  // namespace floe
