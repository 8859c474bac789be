#pragma once
/// What a node does with a record packet: one pure function per situation. Nothing here stores,
/// sends or waits; the database actor does what the decision says.
///
///   requester R            lmaster L                 dmaster D
///      │ REQ_CALL ───────────►│ redirect: REQ_CALL ─────►│
///      │                      │◄──── REQ_DMASTER ────────│ keeps an old copy that names R
///      │◄── REPLY_DMASTER ────│ its copy names R         │
///      stores as dmaster, then serves the request
///
/// When D is the lmaster it sends REPLY_DMASTER itself; when R is the lmaster REQ_DMASTER makes it
/// dmaster at once. The rsn counts changes of ownership and the runs of calls, not the writes of
/// clients.
///
/// Sources: Samba ctdb/server/ctdb_call.c (requests and replies), ctdb_ltdb_server.c (the store
/// decision), ctdb/common/ctdb_ltdb.c (the invented header). Read-only copies: read_only.hpp.
#include <cstdint>
#include <optional>

#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

// ---- storing ----

/// Whether a local copy is kept, and with which header.
struct store_decision {
  bool keep = true;      ///< false: delete the local copy (deleting what is not there is no error)
  record_header header;  ///< to be written if kept: rsn bumped where due, transient flags stripped
};

/// Which of the ordered rules of the store decision matched; the first match wins.
enum class store_rule : std::uint8_t {
  as_given,             ///< persistent and replicated databases are written exactly as given
  has_data,             ///< keep
  read_only_flag,       ///< keep
  automatic,            ///< keep, and let the vacuum look at it
  migrated_with_data,   ///< keep: copies with content may exist elsewhere
  vacuumed_at_lmaster,  ///< delete: an empty record came home for vacuuming
  at_lmaster,           ///< keep
  at_dmaster,           ///< keep
  no_trace,  ///< delete: an empty record that never travelled with data leaves nothing behind
};
store_rule which_store_rule(db_kind kind, pnn self, pnn lmaster, const record_header& header,
                            bool has_data);

/// The decision for a record a node is about to store.
store_decision decide_store(db_kind kind, pnn self, pnn lmaster, const record_header& header,
                            bool has_data);

/// The header of a record that has no local copy: never owned, at its lmaster, invented.
record_header missing_record_header(pnn lmaster);

/// What the owner's client leaves: every write counts, since of two copies of one owner the later has the higher rsn; and a
/// record that was invented for the client is one now.
record_header written_header(record_header);

/// Flags of a header that tell of a transport or an invention, and end with the next write.
inline constexpr std::uint32_t transient_flags =
    record_flag::vacuum_migrated | record_flag::automatic;
inline constexpr std::uint32_t written_flags(std::uint32_t flags) {
  return flags & ~transient_flags;
}

/// What a lookup yields when there is no local copy.
struct missing_record {
  record_header header;  ///< go on with this one: the header as written, or the invented one
  bool write = false;    ///< write it (with no data) first
};
missing_record decide_missing(db_kind kind, pnn self, pnn lmaster);

// ---- what is believed ----

/// Whether a REQ_CALL, REPLY_CALL, REQ_DMASTER or REPLY_DMASTER may act here (rule R14): it must carry the
/// generation of this node's vnn map. Compared with the map's generation and not the database's:
/// after the new map is set no packet routed by the old one may act, recovered database or not. An
/// invalid generation equals nothing. Also to be asked again when a packet is processed after a
/// wait.
bool accept_generation(generation packet, generation map, bool banned);

/// Whether the vnn map says anything about the records of this database (rule R2 of the model, tests/model/README.md). Between the setting of a
/// new map and the recovery of the database it does not: its new lmaster has no copy to tell where
/// a record is, and would invent an empty one beside the real one (ctdbd does). Every request waits
/// until the thaw, for a record of ours too: it may be of a content that does not count.
bool map_applies(generation db, generation map);

/// Whether a record packet that waited (for a lock, for a freeze) is still to be processed. Packets
/// from peers die with the generation of the database, because their senders ask again; those of
/// local clients never do.
bool survives_wait(bool from_peer, generation db_before, generation db_now);

// ---- copies that are pushed (Samba 4.25, records that outlive a node) ----

/// PUSH_RECORD: whoever holds a record sends a copy of it to every node; nothing moves. The header to store, or nothing:
/// the packet is of another generation, it does not come from the node that it names as owner, the record is ours, or what
/// is here is newer (an owner that stores again pushes the same rsn again). Source: Samba ctdb/server/ctdb_recover.c
/// (ctdb_control_push_record); that a newer copy stays, and who may push, is ours.
std::optional<record_header> decide_push_record(pnn self, pnn from, generation map,
                                                generation packet, const record_header& pushed,
                                                const std::optional<record_header>& local);

// ---- requests ----

/// A REQ_CALL from a client of this node.
struct local_call_decision {
  /// The record is here: run the call, then store the record again (which bumps its rsn).
  bool serve = false;
  pnn ask = pnn::unknown;  ///< otherwise the target of the migration request; unknown: nobody
};
local_call_decision decide_local_call(pnn self, const record_header& local);

enum class req_call_outcome : std::uint8_t {
  serve_own,      ///< our own packet found us dmaster: run the call, store again, answer ourselves
  give_directly,  ///< we are lmaster and dmaster: REPLY_DMASTER to the source
  give_via_lmaster,  ///< we are dmaster: REQ_DMASTER to `to`
  give_copy,         ///< we are dmaster, and a read-only copy will do: REPLY_CALL to the source
  redirect,          ///< not here: the same packet, with `hops`, to `to`
  lost,              ///< has been sent on too often: nobody has the record; ask for a recovery
  unroutable,        ///< no map, nobody to send it to: REPLY_ERROR to the source
};
/// A request finds its record in a few hops, some dozens if many nodes fight for it.
constexpr std::uint32_t hops_that_mean_lost = 1000;

/// A REQ_CALL that arrived as a packet, from a peer or from this node itself.
struct req_call_decision {
  req_call_outcome outcome{};
  pnn to = pnn::unknown;
  std::uint32_t hops = 0;    ///< hop count of the packet that is sent on
  bool report_hops = false;  ///< the request has wandered suspiciously far: say so
};
/// `read_only`: a copy will do, and the database allows it.
req_call_decision decide_req_call(pnn self, pnn lmaster, pnn source, const record_header& local,
                                  std::uint32_t hop_count, bool read_only = false);

/// The header of a record that is given to `to`: what the giver keeps as an old copy, and whose rsn
/// and flags go into the packet.
record_header giveaway_header(const record_header& local, bool has_data, pnn to);

// ---- changes of the dmaster ----

enum class req_dmaster_outcome : std::uint8_t {
  become,       ///< the new dmaster is this node: as a REPLY_DMASTER to itself
  pass_on,      ///< store `header` with the data, REPLY_DMASTER to the new dmaster
  not_lmaster,  ///< refuse, ask for a recovery: routed by another map (ctdbd aborts here)
  not_dmaster,  ///< refuse, ask for a recovery: the sender gives away what is not its own
};

/// A REQ_DMASTER at the lmaster.
struct req_dmaster_decision {
  req_dmaster_outcome outcome{};
  record_header header{};  ///< to store (after decide_store) if it is accepted
  /// Our copy had a higher rsn than the packet: to be reported, the packet wins.
  bool local_is_newer = false;
  bool ask_for_recovery() const {
    return outcome == req_dmaster_outcome::not_lmaster ||
           outcome == req_dmaster_outcome::not_dmaster;
  }
};

/// What a REQ_DMASTER or REPLY_DMASTER says about the record.
struct dmaster_packet {
  pnn source{0};
  pnn new_dmaster{0};  ///< of a REPLY_DMASTER: its receiver
  floe::rsn rsn{0};
  std::uint32_t flags = 0;  ///< record flags
};

/// `local` is this node's copy, if it has one: without one the sender's word is taken.
req_dmaster_decision decide_req_dmaster(pnn self, pnn lmaster, const dmaster_packet& packet,
                                        const std::optional<record_header>& local);

/// The migration request that a REPLY_DMASTER (or a REQ_DMASTER that makes us dmaster) answers.
struct awaited_record {
  bool found = false;          ///< a request with the packet's request id is pending
  bool same_key = false;       ///< ... for the key of the packet
  bool for_vacuuming = false;  ///< ... made by the vacuum
};

/// A record that arrives at its new dmaster. It is stored in any case: ownership has moved, and to
/// refuse it would lose the record.
struct reply_dmaster_decision {
  record_header header;  ///< to store (after decide_store)
  bool serve = false;    ///< then run the awaited call (stores again) and answer its client
};
reply_dmaster_decision decide_reply_dmaster(pnn self, const dmaster_packet& packet,
                                            const awaited_record& awaited);

}  // namespace floe
