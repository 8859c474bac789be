#pragma once
/// What the root actor of a node understands. It is the dispatcher: every packet that arrives on a link or a
/// session comes here, already read, and leaves at once for the actor that owns the matter.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/database/database_message.hpp"
#include "actors/event_line.hpp"
#include "actors/link/loss_kind.hpp"
#include "actors/lock/lock_standing.hpp"
#include "actors/parcel.hpp"
#include "actors/replier.hpp"
#include "actors/session/session_message.hpp"
#include "protocol/rules/ban_end.hpp"
#include "protocol/rules/need_recovery.hpp"

namespace floe {

struct peer_packet {
  pnn from;
  parcel_ptr packet;
};
struct peer_changed {
  pnn who;
  bool connected;
  std::string why;
  bool floe;
  loss_kind how = loss_kind::broken;  ///< of one that is lost
  std::uint32_t level =
      0;              ///< of its features (protocol/rules/feature_level.hpp), while it is connected
  duration silent{};  ///< before it was given up; 0: that is not why it is gone
};
/// The peer is there and was all the time; packets to and from it are lost.
struct peer_relinked {
  pnn who;
  std::string why;
};
/// This node leaves the cluster for a while: a client of it has kept a database from freezing for too long and that is the
/// policy, or it cannot store what a recovery brings.
struct ban_self {
  std::string why;
  ban_cause cause = ban_cause::not_frozen;
  db_id of{};                   ///< the database that could not store it
  bool looks_for_room = false;  ///< and tells when it is there
};
/// A database whose disk was full has room for what it could not store.
struct room_is_back {
  db_id id;
};
/// Of a peer that is not connected: whether nobody listens where it would be (its host says so), or nothing is heard of that.
struct peer_absent {
  pnn who;
  bool absent;
};
/// A peer is there and is kept out.
struct peer_refused {
  pnn who;
  std::string why;
};
/// A link has dropped a packet instead of sending it, or has not taken a connection.
struct link_dropped {
  enum { too_large, message, relink, unknown_operation } what;
};
struct client_opened {
  client_ref client;
};
struct client_packet {
  client_ref client;
  parcel_ptr packet;
};
struct client_closed {
  std::uint64_t client;
};

/// Sends a control to any node (ourselves included) on behalf of one of this node's own actors. The answer always
/// comes: from the node, or -1 with a text when it is not connected, breaks away, or `patience` is over.
struct call_control {
  pnn to;
  control opcode;
  bytes data;
  duration patience{0};
  replier answer;
  std::uint32_t flags = 0;
};
/// Sends a message to a node or to a broadcast address; `written` as in link_send (at once for ourselves).
struct post_message {
  pnn to;
  floe::srvid srvid;
  frame data;  ///< may be large and go to many
  task written;
};
/// Registers an actor of this node for messages; `deliver` only tells.
struct listen_messages {
  floe::srvid srvid;
  std::uint64_t owner;
  std::function<void(parcel_ptr)> deliver;
};
struct unlisten_messages {
  floe::srvid srvid;
  std::uint64_t owner;
};

/// A database actor has opened its store, or cannot.
struct database_opened {
  db_id id;
  std::string error;
  std::string damage;
};
/// The file of a persistent database has been looked at.
struct database_checked {
  db_id id;
  std::function<std::string()> verdict;
};
/// What is wrong with the content of a database; empty: it has been healed.
struct database_health {
  db_id id;
  std::string damage;
};
/// A database actor has closed and deleted its file, as it was told.
struct database_closed {
  db_id id;
};
/// A database's state that others look at has changed (freeze state, generation).
/// `recovered`: a recovery has just committed its content, perhaps at the generation with which it was born.
struct database_changed {
  db_id id;
  freeze_state state;
  generation gen;
  bool recovered = false;
};
/// A database that is filled before this node joins has got on, or not.
struct database_fill {
  db_id id;
  fill_number fill;
  fill_end what;
  std::uint64_t records = 0, in_all = 0;
  std::string why{};
};
struct note_event {
  timeline_event event;
};
/// A cry for help: this node's recovery mode becomes ACTIVE and the leader recovers.
struct want_recovery {
  std::string why;
};
/// The leader actor knows another leader.
struct leader_known {
  pnn leader;
};
/// What recoveries that a node led have come to: databases by how, contents that were not equal afterwards, records of
/// nodes that came back.
struct recovered_counts {
  std::uint64_t unchanged = 0, by_difference = 0, whole = 0;
  std::uint64_t differed = 0;
  std::uint64_t kept = 0, lost = 0;
};
/// How far the leader's recovery is, as JSON text; empty when none runs. Shown in status.
/// `ended`: it is over; it failed if there are failures.
struct recovery_progress {
  std::string json;
  bool ended = false;
  recovery_reason cause = recovery_reason::none;  ///< of one that has ended
  std::vector<std::string> failures{};
  recovered_counts added{};
  std::string outcome{};  ///< of one that has ended well: how each database was recovered, as JSON
};
/// A tool or a node has asked for no recoveries for so long; 0: they are allowed again.
struct pause_of_recoveries {
  pnn by{0};
  duration length{0};
};
struct cluster_lock_state {
  lock_standing state = lock_standing::not_held;
  std::string detail{};
};
/// What a service of this node has asked others to do for it, off the loop, has ended.
struct work_ended {
  std::function<void()> then;
};
struct node_figures;
/// Asks for everything the node knows of itself in numbers (report/figures.hpp).
struct ask_figures {
  std::function<void(std::shared_ptr<const node_figures>)> tell;
};
/// Records of one of our databases for a traverse, each a request of TRAVERSE_DATA; `next` asks for more, without it these
/// are the last.
struct traverse_slice {
  pnn for_node;
  reqid id;
  std::vector<bytes> records;
  task next;
};
struct control_deadline {
  reqid id;
};
struct node_tick {};
/// At once.
struct stop_node {
  std::string why;
};
/// When what it has is with the others (rules/departure.hpp); a second one: at once.
struct leave_node {
  std::string by = "its program";  ///< who wants it, as the others are told: "SIGTERM of process 1"
};

using node_message =
    std::variant<peer_packet, client_packet, peer_changed, peer_relinked, peer_absent, peer_refused,
                 link_dropped, ban_self, room_is_back, client_opened, client_closed, call_control,
                 post_message, listen_messages, unlisten_messages, database_opened,
                 database_changed, note_event, want_recovery, leader_known, recovery_progress,
                 control_deadline, node_tick, traverse_slice, stop_node, leave_node,
                 database_closed, database_fill, cluster_lock_state, work_ended, database_checked,
                 database_health, ask_figures, pause_of_recoveries>;

}  // namespace floe
