/// Who is there? Asked when both streams are up, before the peer counts as connected.
#include <fmt/format.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "actors/events.hpp"
#include "actors/link/link.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// A peer that accepts connections and says nothing.
constexpr duration greeting_patience = std::chrono::seconds(5);
/// A question without an answer is asked again, after a pause that doubles. A ctdbd that reads our question before it knows
/// that its own connection is up drops the answer (Samba ctdb/tcp: no outgoing connection), in silence.
constexpr duration question_pause = std::chrono::milliseconds(200);
/// Packets that may come before a peer has answered; it owes two answers.
constexpr std::size_t early_limit = 1000;
/// Before a refusal closes the streams: the peer shall get our answers, so that it can say what is wrong too.
constexpr duration refusal_delay = std::chrono::milliseconds(100);
/// The same refusal is logged so often.
constexpr duration refusal_log_interval = std::chrono::minutes(1);

node_lines lines_of(const node_map& map) {
  node_lines all;
  for (const auto& n : map.nodes)
    all.push_back(n.flags & node_flag::deleted ? std::string() : std::string(address_text(n.addr)));
  return all;
}

/// What a peer may ask before we are done with it.
bool is_greeting(const packet& p) {
  const auto* c = std::get_if<req_control>(&p.body);
  return c && (c->opcode == control::get_capabilities || c->opcode == control::get_nodemap ||
               c->opcode == control::get_incarnation);
}

}  // namespace

void link::greet() {
  ++greeting_;
  unfit_ = false;
  greeting_until_ = env_.loop.now() + greeting_patience;
  ask_again_after(question_pause);
  ask(capabilities_asked_, control::get_capabilities);
  ask(nodes_asked_, control::get_nodemap);
  // the peer's own questions may have come before our stream was up
  for (auto& p : early_)
    if (is_greeting(p->content)) node_.tell(peer_packet{config_.peer, p});
  std::erase_if(early_, [](const parcel_ptr& p) { return is_greeting(p->content); });
}

void link::ask_again_after(duration pause) {
  env_.loop.cancel(greeting_timer_);
  question_pause_ = pause;
  greeting_timer_ =
      env_.loop.after(std::min(pause, greeting_until_ - env_.loop.now()),
                      [to = self(), n = greeting_] { to.tell(link_greeting_late{n}); });
}

void link::ask(std::optional<reqid>& id, control c) {
  id = env_.ids.take();
  ask_once_more(id, c);
}

/// Under the same number: the first answer counts, whichever of the questions it belongs to.
void link::ask_once_more(const std::optional<reqid>& id, control c) {
  if (!id) return;
  ++env_.count.node_packets_sent;
  out_->send(make_frame(
      {.gen = generation::invalid, .dest = config_.peer, .src = env_.self, .id = *id},
      req_control{.opcode = c, .srvid = srvid{0}, .client_id = 0, .flags = 0, .data = {}}));
}

void link::end_greeting() {
  env_.loop.cancel(greeting_timer_);
  capabilities_asked_.reset();
  nodes_asked_.reset();
  incarnation_asked_.reset();
  if (pair_.now == pair_status::phase::connected) return;
  peer_incarnation_ = 0;
  peer_capabilities_.reset();
  peer_nodes_.reset();
}

void link::on(link_greeting_late& m) {
  if (m.greeting != greeting_ || pair_.now != pair_status::phase::greeting) return;
  if (unfit_) return happens(pair_event::refused, "does not fit");
  if (env_.loop.now() >= greeting_until_) return happens(pair_event::broken, "does not answer");
  ask_once_more(capabilities_asked_, control::get_capabilities);
  ask_once_more(nodes_asked_, control::get_nodemap);
  ask_once_more(incarnation_asked_, control::get_incarnation);
  ask_again_after(2 * question_pause_);
}

void link::on(link_nodes& m) { config_.nodes = std::move(m.lines); }

void link::pass_on(frame raw, packet content) {
  if (pair_.now == pair_status::phase::greeting)
    if (const auto* r = std::get_if<reply_control>(&content.body);
        r && greeting_answer(content.header, *r))
      return;
  if (const auto* r = std::get_if<reply_control>(&content.body);
      r && life_asked_ && content.header.id == *life_asked_) {
    life_asked_.reset();
    return happens(pair_event::lives, {});
  }
  const bool now = pair_.now == pair_status::phase::connected ||
                   (pair_.now == pair_status::phase::greeting && is_greeting(content));
  auto p = std::make_shared<const parcel>(parcel{std::move(raw), std::move(content)});
  if (now) return node_.tell(peer_packet{config_.peer, std::move(p)});
  early_.push_back(std::move(p));
  if (early_.size() > early_limit) happens(pair_event::violated, "sends without answering");
}

bool link::greeting_answer(const packet_header& header, const reply_control& r) {
  if (header.id == capabilities_asked_) {
    capabilities_asked_.reset();
    if (auto c = wire::decode<std::uint32_t>(r.data); r.status == 0 && c) peer_capabilities_ = *c;
    // a ctdbd would complain about it
    if (peer_capabilities_ && (*peer_capabilities_ & capability::sorted_pull))
      ask(incarnation_asked_, control::get_incarnation);
  } else if (header.id == nodes_asked_) {
    nodes_asked_.reset();
    if (auto map = wire::decode<node_map>(r.data); r.status == 0 && map)
      peer_nodes_ = lines_of(*map);
  } else if (header.id == incarnation_asked_) {
    incarnation_asked_.reset();
    if (auto n = wire::decode<std::uint64_t>(r.data); r.status == 0 && n) peer_incarnation_ = *n;
  } else {
    return false;
  }
  if (!capabilities_asked_ && !nodes_asked_ && !incarnation_asked_) greeting_complete();
  return true;
}

void link::greeting_complete() {
  if (!peer_capabilities_ || !peer_nodes_)
    return happens(pair_event::broken, "does not say who it is");
  const auto differ = differences(config_.nodes, *peer_nodes_);
  if (differ.empty()) {
    if (peer_incarnation_ == 0) return happens(pair_event::greeted_ctdbd, {});
    return happens(
        peer_incarnation_ == known_incarnation_ ? pair_event::greeted_again : pair_event::greeted,
        "is another process");
  }
  const auto why = fmt::format("its list of nodes differs: {}", fmt::join(differ, "; "));
  const bool news = why != refusal_;
  const bool due = env_.loop.now() - refusal_logged_ >= refusal_log_interval;
  if (news) node_.tell(peer_refused{config_.peer, why});  // who tells the log
  if (!news && due) env_.log.tell(event::node_refused{.pnn = config_.peer, .why = why});
  if (news || due) refusal_logged_ = env_.loop.now();
  refusal_ = why;
  unfit_ = true;
  env_.loop.cancel(greeting_timer_);
  greeting_timer_ = env_.loop.after(
      refusal_delay, [to = self(), n = greeting_] { to.tell(link_greeting_late{n}); });
}

}  // namespace floe
