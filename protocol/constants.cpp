#include "protocol/constants.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>

#include "protocol/node_flags_text.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/feature_level.hpp"

namespace floe {
namespace {

constexpr std::array node_flags{
    flag_name{node_flag::disconnected, "DISCONNECTED"},
    flag_name{node_flag::unhealthy, "UNHEALTHY"},
    flag_name{node_flag::permanently_disabled, "PERMANENTLY_DISABLED"},
    flag_name{node_flag::banned, "BANNED"},
    flag_name{node_flag::deleted, "DELETED"},
    flag_name{node_flag::stopped, "STOPPED"},
    flag_name{node_flag::catching_up, "CATCHING_UP"},
};
constexpr std::array capabilities{
    flag_name{capability::recmaster, "RECMASTER"},
    flag_name{capability::lmaster, "LMASTER"},
    flag_name{capability::lvs, "LVS"},
    flag_name{capability::natgw, "NATGW"},
    flag_name{capability::parallel_recovery, "PARALLEL_RECOVERY"},
    flag_name{capability::fragmented_controls, "FRAGMENTED_CONTROLS"},
};
constexpr std::array db_flags{
    flag_name{db_flag::persistent, "PERSISTENT"},
    flag_name{db_flag::readonly, "READONLY"},
    flag_name{db_flag::sticky, "STICKY"},
    flag_name{db_flag::replicated, "REPLICATED"},
};
constexpr std::array record_flags{
    flag_name{record_flag::persistent, "PERSISTENT"},
    flag_name{record_flag::persistent_in_progress, "PERSISTENT_IN_PROGRESS"},
    flag_name{record_flag::migrated_with_data, "MIGRATED_WITH_DATA"},
    flag_name{record_flag::vacuum_migrated, "VACUUM_MIGRATED"},
    flag_name{record_flag::automatic, "AUTOMATIC"},
    flag_name{record_flag::ro_have_delegations, "RO_HAVE_DELEGATIONS"},
    flag_name{record_flag::ro_have_readonly, "RO_HAVE_READONLY"},
    flag_name{record_flag::ro_revoking_readonly, "RO_REVOKING_READONLY"},
    flag_name{record_flag::ro_revoke_complete, "RO_REVOKE_COMPLETE"},
};
constexpr std::array control_flags{
    flag_name{control_flag::noreply, "NOREPLY"},
    flag_name{control_flag::only_available, "ONLY_AVAILABLE"},
    flag_name{control_flag::attach_in_recovery, "ATTACH_IN_RECOVERY"},
};
constexpr std::array call_flags{
    flag_name{call_flag::immediate_migration, "IMMEDIATE_MIGRATION"},
    flag_name{call_flag::vacuum_migration, "VACUUM_MIGRATION"},
    flag_name{call_flag::want_readonly, "WANT_READONLY"},
};
constexpr std::array tunnel_flags{
    flag_name{tunnel_flag::request, "REQUEST"},
    flag_name{tunnel_flag::reply, "REPLY"},
    flag_name{tunnel_flag::noreply, "NOREPLY"},
};
constexpr std::array open_flags{
    flag_name{open_flag::clear_if_first, "CLEAR_IF_FIRST"},
    flag_name{open_flag::internal, "INTERNAL"},
    flag_name{open_flag::nolock, "NOLOCK"},
    flag_name{open_flag::nommap, "NOMMAP"},
    flag_name{open_flag::nosync, "NOSYNC"},
    flag_name{open_flag::seqnum, "SEQNUM"},
    flag_name{open_flag::volatile_db, "VOLATILE"},
    flag_name{open_flag::allow_nesting, "ALLOW_NESTING"},
    flag_name{open_flag::disallow_nesting, "DISALLOW_NESTING"},
    flag_name{open_flag::incompatible_hash, "INCOMPATIBLE_HASH"},
    flag_name{open_flag::mutex_locking, "MUTEX_LOCKING"},
};

bytes hex_text(std::uint64_t v) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), v, 16);
  return "0x" + bytes(digits.data(), end.ptr);
}

}  // namespace

std::span<const flag_name> node_flag_names() { return node_flags; }
std::span<const flag_name> capability_names() { return capabilities; }
std::span<const flag_name> db_flag_names() { return db_flags; }
std::span<const flag_name> record_flag_names() { return record_flags; }
std::span<const flag_name> control_flag_names() { return control_flags; }
std::span<const flag_name> call_flag_names() { return call_flags; }
std::span<const flag_name> tunnel_flag_names() { return tunnel_flags; }
std::span<const flag_name> open_flag_names() { return open_flags; }

bytes flags_text(std::span<const flag_name> names, std::uint64_t value) {
  bytes out;
  auto add = [&](byte_view name) {
    if (!out.empty()) out.push_back('|');
    out.append(name);
  };
  for (const flag_name& f : names) {
    if ((value & f.bits) == 0) continue;
    add(f.name);
    value &= ~std::uint64_t{f.bits};
  }
  if (value != 0) add(hex_text(value));
  return out;
}

bytes node_flags_text(std::uint64_t v) { return flags_text(node_flags, v); }
std::uint32_t node_flags_in(byte_view text) {
  std::uint32_t all = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find('|'));
    for (const flag_name& f : node_flags)
      if (word == f.name) all |= f.bits;
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return all;
}
bytes capabilities_text(std::uint64_t v) {
  const auto level = (v & level_mask) >> level_shift;
  const auto text = flags_text(capabilities, v & ~std::uint64_t{level_mask});
  if (level == 0) return text;
  return text + (text.empty() ? "" : "|") + "LEVEL_" + std::to_string(level);
}
bytes db_flags_text(std::uint64_t v) { return flags_text(db_flags, v); }
bytes record_flags_text(std::uint64_t v) { return flags_text(record_flags, v); }
bytes control_flags_text(std::uint64_t v) { return flags_text(control_flags, v); }
bytes call_flags_text(std::uint64_t v) { return flags_text(call_flags, v); }
bytes tunnel_flags_text(std::uint64_t v) { return flags_text(tunnel_flags, v); }

bytes call_id_text(std::uint64_t v) {
  switch (v) {
    case call_id::null: return "NULL";
    case call_id::fetch: return "FETCH";
    case call_id::fetch_with_header: return "FETCH_WITH_HEADER";
    default: return {};
  }
}

bytes pnn_text(std::uint64_t v) {
  switch (static_cast<pnn>(v)) {
    case pnn::current: return "CURRENT_NODE";
    case pnn::broadcast_all: return "BROADCAST_ALL";
    case pnn::broadcast_active: return "BROADCAST_ACTIVE";
    case pnn::broadcast_connected: return "BROADCAST_CONNECTED";
    case pnn::multicast: return "MULTICAST";
    case pnn::unknown: return "UNKNOWN_PNN";
    default: return {};
  }
}

bytes generation_text(std::uint64_t v) {
  return v == number(generation::invalid) ? "INVALID" : bytes();
}

bytes runstate_text(std::uint64_t v) {
  constexpr std::array<byte_view, 7> names{"UNKNOWN", "INIT",    "SETUP",   "FIRST_RECOVERY",
                                           "STARTUP", "RUNNING", "SHUTDOWN"};
  return v < names.size() ? bytes(names[v]) : bytes();
}

bytes recovery_mode_text(std::uint64_t v) {
  return v == 0 ? "NORMAL" : v == 1 ? "ACTIVE" : bytes();
}

bytes debug_level_text(std::uint64_t v) {
  switch (v) {
    case 0: return "ERROR";
    case 1: return "WARNING";
    case 3: return "NOTICE";
    case 5: return "INFO";
    case 10: return "DEBUG";
    default: return {};
  }
}

bytes db_id_text(std::uint64_t v) { return hex_text(v); }

bytes version_text(std::uint64_t v) {
  return std::to_string(v >> 16) + "." + std::to_string(v & 0xffff);
}

bytes seconds_text(std::uint64_t v) {
  using namespace std::chrono;
  // years that a calendar of four digits can show; anything else is no time
  constexpr std::uint64_t end_of_9999 = 253402300800;
  if (v == 0 || v >= end_of_9999) return {};
  const sys_seconds when{seconds(static_cast<std::int64_t>(v))};
  const auto day = floor<days>(when);
  const year_month_day date{day};
  const hh_mm_ss time{when - day};
  auto two = [](auto n) {
    const bytes s = std::to_string(n);
    return s.size() < 2 ? "0" + s : s;
  };
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day())) +
         " " + two(time.hours().count()) + ":" + two(time.minutes().count()) + ":" +
         two(time.seconds().count()) + " UTC";
}

}  // namespace floe
