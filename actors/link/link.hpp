#pragma once
/// The link to one other node: two streams, reconnection, greeting, keepalives. What follows from each event of the
/// streams is in protocol/rules/link_pair.hpp; the node actor is told of the peer's coming and going, once each.
///
/// Greeting: before a peer counts as connected it is asked for its capabilities and its list of nodes. So both
/// directions are known to work, the link knows whether a floe node is there, and a node with another list of nodes
/// stays out without ever having been in. The questions are two ordinary controls, which every ctdbd answers;
/// they are repeated until they are, because a ctdbd drops answers as long as it does not know of its own connection;
/// packets that come in the meantime are kept and handed over in their order.
///
/// When the streams of a floe node end, it is asked again at once who it is (its incarnation, a number of its process)
/// before anybody is told: a connection that breaks is not a node that is lost.
///
/// Silence is judged as protocol/rules/keepalive.hpp says.
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/environment.hpp"
#include "actors/link/link_message.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/pulse.hpp"
#include "protocol/rules/keepalive_mark.hpp"
#include "protocol/rules/link_pair.hpp"

namespace floe {

struct link_config {
  pnn peer{0};
  endpoint own, remote;
  stream_limits limits;
  node_lines nodes;         ///< the list this node runs with
  time_point node_started;  ///< for the uptime in keepalives
  std::shared_ptr<node_pulse> pulse;
};

/// Why streams end.
struct break_cause {
  break_cause() = default;
  break_cause(const char* text) : why(text) {}
  break_cause(std::string text, duration silence = {}) : why(std::move(text)), silent(silence) {}

  std::string why;
  duration silent{};  ///< the peer, before it was given up; 0: that is not the cause
};

class link final : public actor<link_message> {
 public:
  link(node_environment env, link_config config, address<node_message> node);
  void start() override;
  void receive(link_message&) override;

 private:
  void on(link_send&);
  void on(link_packet&);
  void on(link_accepted&);
  void on(link_up&);
  void on(link_down&);
  void on(link_retry&);
  void on(link_nudge&);
  void on(link_tick&);
  void on(link_greeting_late&);
  void on(link_doubt_over&);
  void on(link_break&);
  void on(link_tune&);
  void on(link_nodes&);
  void on(link_stop&);

  void happens(pair_event, const break_cause&, link_accepted* taken = nullptr);
  void open_out();
  void open_later(duration);
  void came_up();
  void begin_talk(bool floe);
  void relinked();
  void went_down(const break_cause&, bool ended);
  void begin_doubt(const break_cause&);
  void take_aside();
  void drop_aside();
  bool current(std::uint64_t serial) const;

  void greet();
  void ask(std::optional<reqid>&, control);
  void ask_once_more(const std::optional<reqid>&, control);
  void ask_again_after(duration);
  bool greeting_answer(const packet_header&, const reply_control&);
  void greeting_complete();
  void end_greeting();
  void pass_on(frame raw, packet content);

  void send_keepalive();
  void send_keepalive(const keepalive_mark&);
  void take(const keepalive_mark&);
  bool is_floe() const;
  void judge(const req_keepalive&);
  void arm_tick();

  node_environment env_;
  link_config config_;
  address<node_message> node_;
  keepalive_settings keepalive_;
  std::uint32_t last_mark_ = 0;  ///< number of the last keepalive to a floe node
  std::deque<std::pair<std::uint32_t, time_point>>
      unanswered_;  ///< those numbers, and when they were sent
  bool allow_mixed_ = false;

  pair_status pair_;
  std::shared_ptr<connection> out_, in_;
  std::uint64_t out_serial_ = 0, in_serial_ = 0;
  std::shared_ptr<connection> aside_;  ///< a second incoming stream, while the first lives
  std::uint64_t aside_serial_ = 0;
  std::vector<frame> aside_packets_;    ///< that came on it
  std::optional<reqid> life_asked_;     ///< since it came
  std::deque<time_point> accepted_at_;  ///< streams of the last second
  std::uint64_t attempt_ = 0;
  duration pause_;
  timer_id retry_timer_{0}, tick_timer_{0}, greeting_timer_{0};

  std::uint64_t greeting_ = 0;  ///< number of the present or last one
  time_point greeting_until_;
  duration question_pause_{};  ///< until what is not answered is asked again
  std::optional<reqid> capabilities_asked_, nodes_asked_, incarnation_asked_;
  std::optional<std::uint32_t> peer_capabilities_;
  std::optional<node_lines> peer_nodes_;
  std::uint64_t peer_incarnation_ = 0;   ///< as the greeting says; 0: it does not
  bool absent_ = false;                  ///< as the node was told
  std::uint64_t known_incarnation_ = 0;  ///< of the peer that is, or was last, connected
  std::vector<parcel_ptr> early_;        ///< came before the peer counted as connected
  bool unfit_ = false;                   ///< the present greeting will be refused
  std::string refusal_;                  ///< why the last one was
  time_point refusal_logged_{};

  break_cause doubted_;
  duration doubt_limit_{};  ///< of the next doubt; 0: the usual
  time_point doubt_until_{};
  std::uint64_t doubt_serial_ = 0;
  timer_id doubt_timer_{0};

  peer_watch watch_;
  std::uint64_t tick_serial_ = 0;
};

/// The events of an incoming stream that `link` shall own; `serial` is even and chosen by the acceptor, never reused.
connection_events incoming_events(const address<link_message>& link, std::uint64_t serial);

}  // namespace floe
