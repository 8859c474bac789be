#pragma once
/// Which function carries out which control. A row knows the types of its control from controls.def: it decodes the
/// request once, calls a function that takes values, and encodes what comes back.
///
///   table.add(handle<control::setvnnmap>(membership, &membership::set_vnnmap));
///   table.add(to_database<control::db_freeze>(registry));
///
/// Rows of controls.def with the trait `of_db` belong to the owner of the database that the request names: such a
/// request travels to it decoded, with the packet that it points into. What has no row is refused like an unknown
/// opcode, with status -1 and no text, as ctdbd does.
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "actors/control_call.hpp"
#include "actors/database/database_message.hpp"
#include "actors/log.hpp"
#include "protocol/controls.hpp"

namespace floe {

struct control_row {
  control opcode{};
  /// The error, if the data is not a request of this control; the answer has not been used then.
  std::function<std::optional<wire::error>(const caller&, byte_view data, const replier&)> run;
};

class control_table {
 public:
  explicit control_table(floe::log& log) : log_(log) {}

  /// Two rows for one control are a bug.
  void add(control_row);
  bool knows(control c) const { return rows_.contains(number(c)); }
  std::size_t size() const { return rows_.size(); }
  /// Checks whether there is such a control, whether this caller may send it, and whether the data is a request of
  /// it; then calls the handler. `data` lies in the caller's packet.
  void carry_out(const caller&, byte_view data, const replier&) const;

 private:
  floe::log& log_;
  std::unordered_map<std::uint32_t, control_row> rows_;
};

template <control C, class Service, class Handler>
control_row handle(Service& service, Handler h) {
  static_assert(!control_traits<C>::of_database, "its owner is the database: use to_database");
  return {C,
          [&service, h](const caller& by, byte_view data,
                        const replier& answer) -> std::optional<wire::error> {
            const auto request = decode_request<C>(data);
            if (!request) return request.error();
            call_handler<C>(service, h, *request, by, answer);
            return std::nullopt;
          }};
}

/// The database that a request names: by its id, or by the upper half of a lock's id.
template <class Request>
db_id database_of(const Request& r) {
  if constexpr (std::is_same_v<Request, db_id>)
    return r;
  else if constexpr (requires { r.lock_id; })
    return db_id{static_cast<std::uint32_t>(r.lock_id >> 32)};
  else if constexpr (requires { r.db_id(); })
    return r.db_id();
  else
    return r.db_id;
}

/// `Registry::forward(db_id, db_control)` finds the database, or answers why there is none.
template <control C, class Registry>
control_row to_database(Registry& registry) {
  static_assert(control_traits<C>::of_database, "its owner is the node: use handle");
  return {C,
          [&registry](const caller& by, byte_view data,
                      const replier& answer) -> std::optional<wire::error> {
            auto request = decode_request<C>(data);
            if (!request) return request.error();
            const db_id db = database_of(*request);
            registry.forward(db, by, db_control::of<C>(std::move(*request), by, answer));
            return std::nullopt;
          }};
}

}  // namespace floe
