#ifndef FLOE_ASYNC_VALUES_HPP
#define FLOE_ASYNC_VALUES_HPP
/* What is passed by value: options, records, messages, names of processes. Part of floe/async.hpp. */
#include <floe/async/result.hpp>

#include <functional>
#include <string_view>
#include <vector>

namespace floe::async {

/// A node is named by its number (pnn), its line in the nodes file from 0, or by one of these.
constexpr std::uint32_t here = 0xF0000001;          ///< the node of this client
constexpr std::uint32_t all_nodes = 0xF0000002;     ///< messages: every node
constexpr std::uint32_t active_nodes = 0xF0000003;  ///< messages: those that take part in databases
constexpr std::uint32_t connected_nodes = 0xF0000004;  ///< messages: those that are connected

struct options {
  std::string
      where{};  ///< the path of the node's socket, or the node's directory (which has run/ctdbd.socket)
  bool reconnect = false;  ///< after a loss, and when nobody is there, try again for ever
  limit pause{200};        ///< between two tries
  limit hello{10'000};     ///< for the node's first answer; then it is given up (errc::timed_out)
  /// Records of volatile databases are locked, read and stored in memory that the node lends, without asking it. Good for
  /// records that mostly this client uses; one that another client of this node holds is looked at again after 50 us,
  /// then seldomer, at least every millisecond, where otherwise the node tells.
  bool record_tables = false;
};

struct events {
  /// The connection is up, with the node's number. Again after each reconnect.
  std::function<void(std::uint32_t pnn)> connected{};
  /// It broke (errc::disconnected, bad_reply), or could not be made (not_connected, timed_out): with options::reconnect
  /// once for each try. Requests that were under way have ended before. Not after close().
  std::function<void(const error&)> disconnected{};
};

enum class kind : int {
  any = 0,  ///< attach: one of any kind that has this name; if there is none a volatile one is made
  persistent = 1,
  replicated = 2,
};

struct record_header {
  std::uint64_t rsn = 0;      ///< counts changes of ownership and, for the owner, stores
  std::uint32_t dmaster = 0;  ///< the node that the record belongs to
  std::uint32_t flags = 0;    ///< of the protocol
};

struct record {
  bool exists = false;
  std::string data;  ///< octets; of a deleted record none
  record_header header;
};

/// Of a traverse. The views live as long as the call.
struct shown_record {
  std::string_view key, data;
  record_header header;
};

enum class read_from : int {
  owner =
      0,  ///< the record comes here, or a read-only copy where the database allows these: nobody has a newer value
  settled =
      1,  ///< this node's copy, after the client of this node that holds it, and not in a recovery. Nothing moves
  copy = 2,  ///< this node's copy as it is: at once, perhaps old
};

/// Somebody in the cluster has sent it. Views live as long as the call.
struct message {
  std::uint32_t from = 0;   ///< the node
  std::uint64_t srvid = 0;  ///< the address that it was sent to
  std::string_view data;
};

/// Of a tunnel. Nodes say neither who sent it nor what it answers: that is part of the data.
struct tunnel_packet {
  std::uint64_t tunnel = 0;
  std::uint32_t flags = 0;  ///< tunnel_request, tunnel_reply, as the sender said
  std::string_view data;
};
constexpr std::uint32_t tunnel_request = 0x1;
constexpr std::uint32_t tunnel_reply = 0x2;

/// The answer to a control.
struct reply {
  std::int32_t status = 0;  ///< not negative; some controls return a value here
  std::string data;
};

/// What one of many nodes said.
template <class T>
struct node_result {
  std::uint32_t node = 0;
  result<T> answer;
};

enum class which_nodes : int {
  all = 0,        ///< of the nodes file, without those that were deleted from it
  connected = 1,  ///< to the own node, and that one
  active = 2,  ///< those of them that are neither stopped nor banned: they take part in databases
};

/// A name for a program of the cluster that no other has. Samba's server_id.
struct server_id {
  std::uint64_t pid = 0;
  std::uint32_t task = 0;
  std::uint32_t node = 0;
  std::uint64_t unique = 0;
};

/// What a database does for clients of this node.
enum class phase : int {
  serving = 0,   ///< as ever
  freezing = 1,  ///< nothing new is granted, holders of record locks finish
  frozen =
      2,  ///< waits for other nodes, for the leader, or (on an inactive node) to be active again
  exchanging = 3,  ///< its records are collected, merged and given out
};
/// "serving", "freezing", ...; never null.
FLOE_ASYNC_API const char* name(phase) noexcept;

struct recovery_change {
  std::uint32_t db = 0;  ///< 0: the node as a whole
  bool recovering =
      false;  ///< the node's recovery mode is ACTIVE: databases will freeze, are frozen, or may be
  async::phase phase = async::phase::serving;  ///< of the database
  std::uint32_t generation = 1;                ///< of its content; 1: none
};

/// "0.2.0", of the library that runs.
FLOE_ASYNC_API const char* version() noexcept;

}  // namespace floe::async
#endif
