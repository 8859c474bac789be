#pragma once
/// The two streams that join a pair of nodes, as one node sees them. It sends on the one it opened
/// (`out`) and receives on the one the peer opened (`in`). The peer counts as connected when both
/// exist and it has said who it is (greeting).
///
///   phase      event           what follows
///   apart      out_up          out: up; with an in: greeting
///              out_lost        out: none, opened again after a pause; the in stays
///              accepted        the new one is the in, an older one is closed; with an out: greeting
///              in_lost         in: none; the out stays
///   greeting   out_lost        apart; opened again
///              in_lost         apart; the out stays
///              accepted        the new one is the in; greeted anew
///              greeted         connected: node up
///              refused         both closed, a long pause
///   connected  out_lost, in_lost   both closed: node down, opened again
///              accepted        node down, both closed and opened again; the new one is the in
///   any        broken          both closed, opened again; node down if it was connected
///
/// Why a break of one stream breaks the other only when connected: whoever was connected has lost
/// packets, and both sides must notice. Before, nothing was said; if each half broke the other, two
/// nodes could take turns for ever in closing what the other has just opened.
/// Why a new incoming stream wins: a node opens one only when it has none; the older is dead,
/// whether or not the news has arrived.
///
/// Source: Samba ctdb/tcp (tcp_connect.c), which closes the *new* one and so leaves a node that was
/// cut off out until the old one's end is noticed.
#include <cstdint>

namespace floe {

enum class out_state : std::uint8_t { none, opening, up };

struct pair_status {
  enum class phase : std::uint8_t { apart, greeting, connected };
  out_state out = out_state::none;
  bool in = false;
  phase now = phase::apart;
  bool operator==(const pair_status&) const = default;
};

enum class pair_event : std::uint8_t {
  open,      ///< time to open the out
  out_up,    ///< it is established
  out_lost,  ///< it has ended, could not be established, or not in time
  accepted,  ///< the peer has opened a stream
  in_lost,   ///< that stream has ended
  greeted,   ///< the peer has said who it is, and fits
  refused,   ///< it does not fit
  broken,    ///< silence, nonsense, or no answer to the greeting
};

struct pair_step {
  pair_status next{};
  bool close_out = false, close_in = false;  ///< the streams of before
  bool open = false;                         ///< open the out now
  bool open_later = false;                   ///< ... after a pause
  bool long_pause = false;                   ///< that pause is that of a refusal
  bool take_in = false;                      ///< the accepted stream is the in
  bool greet = false;                        ///< ask the peer who it is
  bool up = false, down = false;             ///< tell the node
  bool operator==(const pair_step&) const = default;
};

pair_step step(const pair_status&, pair_event);

}  // namespace floe
