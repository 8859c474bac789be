#include "protocol/messages.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "protocol/types/all.hpp"

namespace floe {
namespace {

const std::vector<message_info>& table() {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  static const std::vector<message_info> rows{
#define FLOE_MESSAGE(value, mask, field, name, type, traits, meaning) \
  message_info{message::field,                                        \
               mask,                                                  \
               #field,                                                \
               #name,                                                 \
               &wire::codec<type>::info(),                            \
               message_info::trait::traits,                           \
               meaning},
#include "protocol/messages.def"
#undef FLOE_MESSAGE
  };
  return rows;
}

constexpr std::array ranges{
    srvid_range{0x00, "processes"},     srvid_range{0x9E, "daemons"},
    srvid_range{0xAE, "test programs"}, srvid_range{0xBE, "client library"},
    srvid_range{0xCE, "ctdb tool"},     srvid_range{0xDE, "iSCSI"},
    srvid_range{0xEE, "NFS"},           srvid_range{0xFE, "smbd"},
};

}  // namespace

std::span<const message_info> all_messages() { return table(); }
std::span<const srvid_range> srvid_ranges() { return ranges; }

const message_info* find_message(srvid id) {
  const auto& rows = table();
  const auto found = std::ranges::find_if(
      rows, [&](const message_info& m) { return (number(id) & m.mask) == number(m.first); });
  return found == rows.end() ? nullptr : &*found;
}

const wire::type_info& payload_type(srvid id, byte_view data) {
  const wire::type_info& free = wire::codec<wire::octets>::info();
  const message_info* row = find_message(id);
  if (row == nullptr) return free;
  if (row->first == message::tool_answer) {
    if (data.size() == sizeof(std::int32_t)) return wire::codec<std::int32_t>::info();
    return wire::codec<wire::text>::info();
  }
  const auto size = row->type->measure(data);
  return size && *size == data.size() ? *row->type : free;
}

bytes srvid_text(std::uint64_t v) {
  const message_info* row = find_message(srvid{v});
  return row != nullptr ? bytes(row->name) : bytes();
}

}  // namespace floe
