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
///   connected  out_lost, in_lost   both closed; in doubt if the peer can be recognised, else node down;
///                              opened again
///              accepted        put aside; the peer is asked for a sign of life
///              lives           it has answered on the old stream: what was put aside is closed
///   any        broken          both closed, opened again; as above if it was connected
///              violated        both closed, opened again; node down if it was connected or in doubt
///
/// In doubt: the streams of a connected pair have ended, which says that packets on them may be
/// lost, not that the peer is. It is asked again at once, and nobody is told until one of these is
/// known:
///   out_refused      nobody listens there: node down
///   greeted_again    it is the same process: node relinked, only packets are lost
///   greeted          it is another one: node down, and up
///   doubt_over       it has not said anything in time: node down
///   refused, broken  (in the greeting): node down
///
/// Why a break of one stream breaks the other only when connected: whoever was connected has lost
/// packets, and both sides must notice. Before, nothing was said; if each half broke the other, two
/// nodes could take turns for ever in closing what the other has just opened.
/// Why a second incoming stream does not end the first: anybody can open one from the peer's
/// address. A peer that opens one because it has lost the first has closed that; so the question
/// whether it lives meets no stream any more and ends the old one, and then the new one is the in.
///
/// Source: Samba ctdb/tcp (tcp_connect.c), which closes the new one; every break is the loss of the
/// node.
#include <cstdint>

namespace floe {

enum class out_state : std::uint8_t { none, opening, up };

struct pair_status {
  enum class phase : std::uint8_t { apart, greeting, connected };
  out_state out = out_state::none;
  bool in = false;
  phase now = phase::apart;
  bool aside = false;  ///< a second incoming stream waits for the end of the first
  bool recognisable =
      false;  ///< the peer, while connected or in doubt: it says which process it is
  bool doubt = false;
  bool operator==(const pair_status&) const = default;
};

enum class pair_event : std::uint8_t {
  open,           ///< time to open the out
  out_up,         ///< it is established
  out_lost,       ///< it has ended, could not be established, or not in time
  accepted,       ///< the peer has opened a stream
  in_lost,        ///< that stream has ended
  greeted,        ///< the peer has said who it is, and fits; it will be recognised
  greeted_ctdbd,  ///< ... and will not be recognised
  greeted_again,  ///< ... and is the process that it was
  refused,        ///< it does not fit
  broken,         ///< silence, or no answer to the greeting
  violated,       ///< nonsense: it is not asked again at once, it would go on with it
  out_refused,    ///< nobody listens there
  aside_lost,     ///< the stream that was put aside has ended
  lives,          ///< the peer has answered a question asked since that one came
  doubt_over,     ///< nothing was heard of the peer in time
};

struct pair_step {
  pair_status next{};
  bool close_out = false, close_in = false;  ///< the streams of before
  bool open = false;                         ///< open the out now
  bool open_later = false;                   ///< ... after a pause
  bool long_pause = false;                   ///< that pause is that of a refusal
  bool take_in = false;                      ///< the accepted stream is the in
  bool greet = false;                        ///< ask the peer who it is
  bool put_aside = false;                    ///< the accepted stream waits; ask for a sign of life
  bool take_aside = false;                   ///< what was put aside is the in
  bool close_aside = false;
  bool doubts = false;            ///< send `doubt_over` in time
  bool down = false, up = false;  ///< tell the node, in this order
  bool relinked = false;          ///< tell the node that packets are lost, no more
  bool operator==(const pair_step&) const = default;
};

pair_step step(const pair_status&, pair_event);

}  // namespace floe
