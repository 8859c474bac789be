#pragma once
/// The named numbers of the protocol: flags, capabilities, states; and their names for logs and
/// tools. Values as in Samba ctdb/protocol/protocol.h (4.17).
#include <cstdint>
#include <span>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {

namespace node_flag {
constexpr std::uint32_t disconnected = 0x01;          ///< set by each node for the others
constexpr std::uint32_t unhealthy = 0x02;             ///< set by the node itself
constexpr std::uint32_t permanently_disabled = 0x04;  ///< by an operator
constexpr std::uint32_t banned = 0x08;
constexpr std::uint32_t deleted = 0x10;  ///< commented out in the nodes file
constexpr std::uint32_t stopped = 0x20;  ///< by an operator
/// floe's own: it is filled before it takes part (rules/joining.hpp). Never said where a ctdbd hears it.
constexpr std::uint32_t catching_up = 0x0100'0000;
constexpr std::uint32_t disabled = unhealthy | permanently_disabled;  ///< mask: hosts no addresses
constexpr std::uint32_t inactive =
    deleted | disconnected | banned | stopped | catching_up;  ///< mask: no part in databases
/// mask: what each node finds out for itself, by its connections and its nodes file, and lets nobody tell it
constexpr std::uint32_t found_out_alone = disconnected | deleted;
}  // namespace node_flag

namespace capability {
constexpr std::uint32_t recmaster = 0x1;  ///< may lead
constexpr std::uint32_t lmaster = 0x2;
constexpr std::uint32_t lvs = 0x4;    ///< obsolete
constexpr std::uint32_t natgw = 0x8;  ///< obsolete
constexpr std::uint32_t parallel_recovery = 0x10000;
constexpr std::uint32_t fragmented_controls = 0x20000;
constexpr std::uint32_t sorted_pull =
    0x40000000;  ///< floe's: DB_PULL sends records in the order of key_order()
constexpr std::uint32_t difference =
    0x20000000;  ///< floe's: a recovery may ask for what has changed
constexpr std::uint32_t leaving =
    0x10000000;  ///< floe's: takes part in one more recovery, see rules/departure.hpp
constexpr std::uint32_t features = parallel_recovery | fragmented_controls;  ///< always set by 4.17
}  // namespace capability

namespace db_flag {  // neither persistent nor replicated: volatile
constexpr std::uint8_t persistent = 0x1;
constexpr std::uint8_t readonly = 0x2;
constexpr std::uint8_t sticky = 0x4;
constexpr std::uint8_t replicated = 0x8;
}  // namespace db_flag

namespace control_flag {
constexpr std::uint32_t noreply = 0x1;
constexpr std::uint32_t only_available = 0x00010000;      ///< GET_PUBLIC_IPS
constexpr std::uint32_t attach_in_recovery = 0x00020000;  ///< DB_ATTACH*
}  // namespace control_flag

namespace call_flag {
constexpr std::uint32_t immediate_migration = 1;
constexpr std::uint32_t vacuum_migration = 2;
constexpr std::uint32_t want_readonly = 4;
}  // namespace call_flag

namespace call_id {
constexpr std::uint32_t null = 0xFF000001;               ///< the record comes, the answer is empty
constexpr std::uint32_t fetch = 0xFF000002;              ///< the answer is the data
constexpr std::uint32_t fetch_with_header = 0xFF000003;  ///< the answer is header and data
}  // namespace call_id

namespace tunnel_flag {
constexpr std::uint32_t request = 0x1;
constexpr std::uint32_t reply = 0x2;
constexpr std::uint32_t noreply = 0x10;
}  // namespace tunnel_flag

/// Flags for opening a database file, TDB's own (control DB_OPEN_FLAGS).
namespace open_flag {
constexpr std::uint32_t clear_if_first = 0x1;
constexpr std::uint32_t internal = 0x2;
constexpr std::uint32_t nolock = 0x4;
constexpr std::uint32_t nommap = 0x8;
constexpr std::uint32_t nosync = 0x40;
constexpr std::uint32_t seqnum = 0x80;
constexpr std::uint32_t volatile_db = 0x100;
constexpr std::uint32_t allow_nesting = 0x200;
constexpr std::uint32_t disallow_nesting = 0x400;
constexpr std::uint32_t incompatible_hash = 0x800;
constexpr std::uint32_t mutex_locking = 0x1000;
}  // namespace open_flag

/// Log levels of GET_DEBUG and SET_DEBUG; any number is legal there.
enum class debug_level : std::int32_t { error = 0, warning = 1, notice = 3, info = 5, debug = 10 };

/// What a 4.17 daemon says in its keepalives: major in the upper, minor in the lower half.
constexpr std::uint32_t protocol_version_4_17 = 0x00040011;

/// Keys and names with a meaning of their own.
constexpr byte_view sequence_number_key{"__db_sequence_number__\0",
                                        23};  ///< NUL included; data u64
constexpr byte_view g_lock_db = "g_lock.tdb";

// ---- names
// ---------------------------------------------------------------------------------------------------------

struct flag_name {
  std::uint32_t bits;
  byte_view name;
};
std::span<const flag_name> node_flag_names();
std::span<const flag_name> capability_names();
std::span<const flag_name> db_flag_names();
std::span<const flag_name> record_flag_names();
std::span<const flag_name> control_flag_names();
std::span<const flag_name> call_flag_names();
std::span<const flag_name> tunnel_flag_names();
std::span<const flag_name> open_flag_names();

/// "BANNED|STOPPED"; bits without a name as hex; empty for 0.
bytes flags_text(std::span<const flag_name> names, std::uint64_t value);

// Printers of single numbers, usable as the meaning of a field; empty where the number needs no
// words.
bytes node_flags_text(std::uint64_t v);
bytes capabilities_text(std::uint64_t v);
bytes db_flags_text(std::uint64_t v);
bytes record_flags_text(std::uint64_t v);
bytes control_flags_text(std::uint64_t v);
bytes call_flags_text(std::uint64_t v);
bytes call_id_text(std::uint64_t v);
bytes tunnel_flags_text(std::uint64_t v);
bytes pnn_text(std::uint64_t v);         ///< special destinations only
bytes generation_text(std::uint64_t v);  ///< "INVALID" for 1
bytes runstate_text(std::uint64_t v);
bytes recovery_mode_text(std::uint64_t v);
bytes debug_level_text(std::uint64_t v);
bytes srvid_text(std::uint64_t v);    ///< name of a message, see messages.hpp
bytes db_id_text(std::uint64_t v);    ///< as hex, which is how people know databases
bytes version_text(std::uint64_t v);  ///< "4.17"
bytes seconds_text(std::uint64_t v);  ///< a point in time, UTC

namespace wire {
/// The printer that goes with a type of number.
template <class T>
constexpr bytes (*meaning_of)(std::uint64_t) = nullptr;
template <>
inline constexpr auto meaning_of<pnn> = &pnn_text;
template <>
inline constexpr auto meaning_of<generation> = &generation_text;
template <>
inline constexpr auto meaning_of<runstate> = &runstate_text;
template <>
inline constexpr auto meaning_of<recovery_mode> = &recovery_mode_text;
template <>
inline constexpr auto meaning_of<debug_level> = &debug_level_text;
template <>
inline constexpr auto meaning_of<srvid> = &srvid_text;
template <>
inline constexpr auto meaning_of<db_id> = &db_id_text;
}  // namespace wire

}  // namespace floe
