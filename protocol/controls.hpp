#pragma once
/// The table of controls. controls.def describes each once: opcode, name, types of request and
/// reply, who may send it, which sizes are legal. Everything that knows controls derives from it:
/// this enum, the traits that give each its C++ types, the rows for printing, dispatch and tests.
///
///   auto map = floe::decode_reply<floe::control::getvnnmap>(reply.data);     // expected<vnn_map,
///   wire::error> bytes data = floe::encode_request<floe::control::db_freeze>(db);
///
/// Who uses these two includes the header of the type (protocol/types/...).
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "protocol/bytes.hpp"
#include "protocol/types/fwd.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// control::get_dbmap ...: names as on the wire, in small letters. Any other number may come from
/// outside.
enum class control : std::uint32_t {
#define FLOE_CONTROL(opcode, field, name, request, reply, size, sender, traits, does, answers) \
  field = (opcode),
#define FLOE_OBSOLETE_CONTROL(opcode, field, name) field = (opcode),
#include "protocol/controls.def"
#undef FLOE_CONTROL
#undef FLOE_OBSOLETE_CONTROL
};
constexpr std::uint32_t number(control c) { return static_cast<std::uint32_t>(c); }

/// Which requests are well formed.
struct size_rule {
  enum class kind : std::uint8_t {
    exact,       ///< one value of the type and nothing more
    at_least,    ///< so many bytes, a value at the front
    unchecked,   ///< a value at the front
    terminated,  ///< a text with its NUL
  };
  kind is = kind::exact;
  std::uint32_t min = 0;
};

enum class sender : std::uint8_t {
  local,   ///< only a client of this node
  any,     ///< a client of this or of another node
  daemon,  ///< nodes and their helpers
};

namespace control_trait {
constexpr std::uint8_t none = 0;
constexpr std::uint8_t late = 1;       ///< may answer after a while
constexpr std::uint8_t by_srvid = 2;   ///< its argument is the srvid of the packet
constexpr std::uint8_t later = 4;      ///< since after 4.17
constexpr std::uint8_t own = 8;        ///< floe's, unknown to ctdbd
constexpr std::uint8_t obsolete = 16;  ///< known by name only
constexpr std::uint8_t of_db =
    32;  ///< carried out by the owner of the database that the request names
}  // namespace control_trait

struct control_info {
  control opcode;
  byte_view field;                 ///< "get_dbmap"
  byte_view name;                  ///< "GET_DBMAP"
  const wire::type_info* request;  ///< obsolete ones: octets
  const wire::type_info* reply;
  size_rule size;
  sender from;
  std::uint8_t traits;  ///< control_trait bits
  byte_view does;       ///< one line
  byte_view answers;    ///< what the status means, empty if nothing special

  bool is(std::uint8_t trait) const { return (traits & trait) != 0; }
};

/// All rows, in the order of the file: by opcode, then floe's own, then the obsolete ones.
std::span<const control_info> all_controls();
/// Nothing for an unknown opcode.
const control_info* find_control(control opcode);
/// By name, case does not matter ("getvnnmap", "GETVNNMAP").
const control_info* find_control(byte_view name);
/// "GET_DBMAP", or the number.
bytes control_name(control opcode);

/// Whether a request's data obeys its size rule, given how long the value at its front is.
std::optional<wire::error> check_size(const char* type, size_rule rule, byte_view data,
                                      std::size_t value_size);
/// The same with the type of the row: decodes it and returns its size.
std::expected<std::size_t, wire::error> check_request(const control_info& row, byte_view data);

template <control C>
struct control_traits;

namespace control_detail {
constexpr size_rule exact{size_rule::kind::exact, 0};
constexpr size_rule unchecked{size_rule::kind::unchecked, 0};
constexpr size_rule terminated{size_rule::kind::terminated, 1};
constexpr size_rule at_least(std::uint32_t n) { return {size_rule::kind::at_least, n}; }
constexpr bool of_database(std::uint8_t traits) { return (traits & control_trait::of_db) != 0; }
}  // namespace control_detail

#define FLOE_CONTROL(opcode, field, name, request, reply, size, from, traits, does, answers) \
  template <>                                                                                \
  struct control_traits<control::field> {                                                    \
    using request_type = request;                                                            \
    using reply_type = reply;                                                                \
    static constexpr size_rule rule = control_detail::size;                                  \
    static constexpr bool of_database = control_detail::of_database([] {                     \
      using namespace control_trait;                                                         \
      return std::uint8_t(traits);                                                           \
    }());                                                                                    \
  };
#define FLOE_OBSOLETE_CONTROL(opcode, field, name)
#include "protocol/controls.def"
#undef FLOE_CONTROL
#undef FLOE_OBSOLETE_CONTROL

template <control C>
using request_of = typename control_traits<C>::request_type;
template <control C>
using reply_of = typename control_traits<C>::reply_type;

template <control C>
bytes encode_request(const request_of<C>& v) {
  return wire::encode(v);
}
template <control C>
bytes encode_reply(const reply_of<C>& v) {
  return wire::encode(v);
}

template <control C>
std::expected<request_of<C>, wire::error> decode_request(byte_view data) {
  auto p = wire::decode_prefix<request_of<C>>(data);
  if (!p) return std::unexpected(p.error());
  const char* type = wire::codec<request_of<C>>::info().name;
  if (auto bad = check_size(type, control_traits<C>::rule, data, p->size)) {
    return std::unexpected(*bad);
  }
  return std::move(p->value);
}

template <control C>
std::expected<reply_of<C>, wire::error> decode_reply(byte_view data) {
  return wire::decode<reply_of<C>>(data);
}

}  // namespace floe
