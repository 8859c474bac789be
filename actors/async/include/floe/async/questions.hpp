#ifndef FLOE_ASYNC_QUESTIONS_HPP
#define FLOE_ASYNC_QUESTIONS_HPP
/*
 * The common controls with types: what is asked, and how the answer is read. For client::ask, and client::ask_many for many
 * nodes at once. Part of floe/async.hpp.
 *
 *   node.ask(2, questions::recovery_mode(), 3s, [](result<mode> m) { ... });
 *
 * All others: client::control, by number and octets (protocol/controls.def lists them). A question of one's own is an
 * opcode, the request's octets and a function that reads the answer.
 */
#include <floe/async/values.hpp>

#include <utility>

namespace floe::async {

template <class T>
struct question {
  std::uint32_t opcode = 0;
  std::string request;
  result<T> (*read)(std::uint32_t from, const reply&) = nullptr;
};

enum class mode : int { normal = 0, active = 1 };

struct vnn_map {
  std::uint32_t generation = 1;      ///< of the last recovery; 1: none yet
  std::vector<std::uint32_t> slots;  ///< the nodes that track records
};

struct node_state {
  std::uint32_t pnn = 0;
  std::uint32_t flags = 0;  ///< node_... bits
  std::string address;      ///< "192.0.2.1"
};
constexpr std::uint32_t node_disconnected = 0x01;
constexpr std::uint32_t node_unhealthy = 0x02;
constexpr std::uint32_t node_disabled = 0x04;  ///< by an operator
constexpr std::uint32_t node_banned = 0x08;
constexpr std::uint32_t node_deleted = 0x10;
constexpr std::uint32_t node_stopped = 0x20;

struct database_state {
  std::uint32_t id = 0;
  std::uint32_t flags = 0;  ///< database_... bits; neither persistent nor replicated: volatile
};
constexpr std::uint32_t database_persistent = 0x1;
constexpr std::uint32_t database_readonly = 0x2;  ///< allows read-only copies
constexpr std::uint32_t database_sticky = 0x4;
constexpr std::uint32_t database_replicated = 0x8;

/// Of CTDB's counters those that programs look at; all of them: `described`.
struct counters {
  std::uint32_t clients = 0;
  std::uint32_t frozen = 0;      ///< databases
  std::uint32_t recovering = 0;  ///< 1 while recovery mode is ACTIVE
  std::uint32_t recoveries =
      0;  ///< since start or reset, as the leader of which the node ended them
  std::uint32_t calls = 0, pending_calls = 0;
  std::uint32_t lock_calls = 0, lock_current = 0, lock_pending = 0, lock_failed = 0;
  double lock_longest = 0, lock_total = 0;  ///< seconds
  std::uint32_t client_controls = 0, client_messages = 0;
  std::uint32_t node_packets_sent = 0, node_packets_received = 0;
  std::uint32_t memory = 0;  ///< octets
};

namespace questions {
/// Is the node there? How many clients it has.
FLOE_ASYNC_API question<std::uint32_t> ping();
FLOE_ASYNC_API question<std::uint32_t> node_number();
FLOE_ASYNC_API question<std::int32_t> process_id();
FLOE_ASYNC_API question<mode> recovery_mode();
/// 0 unknown, 1 init, 2 setup, 3 first recovery, 4 startup, 5 running, 6 shutdown.
FLOE_ASYNC_API question<std::uint32_t> run_state();
FLOE_ASYNC_API question<vnn_map> map();
/// Every line of the nodes file, as that node sees it: deleted ones, too.
FLOE_ASYNC_API question<std::vector<node_state>> nodes();
/// Those that are attached there.
FLOE_ASYNC_API question<std::vector<database_state>> databases();
FLOE_ASYNC_API question<std::string> database_name(std::uint32_t db);
/// Changes with every change of the database that this node takes part in; of persistent ones counts transactions.
FLOE_ASYNC_API question<std::uint64_t> sequence_number(std::uint32_t db);
FLOE_ASYNC_API question<counters> statistics();
FLOE_ASYNC_API question<std::uint32_t> tunable(std::string_view name);
/// The answer is true if the name is obsolete, and setting it has done nothing.
FLOE_ASYNC_API question<bool> set_tunable(std::string_view name, std::uint32_t value);
}  // namespace questions

/// The data of an answer, whatever the control, as JSON for people and logs; of what does not decode its octets in hex.
FLOE_ASYNC_API std::string described(std::uint32_t opcode, const reply&);

}  // namespace floe::async
#endif
