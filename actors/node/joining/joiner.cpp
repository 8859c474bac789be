#include "actors/node/joining/joiner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"

namespace floe {
namespace {

constexpr duration attach_patience = std::chrono::seconds(5);

}  // namespace

void joiner::on_a_turn(std::function<void()> what) { port_.self.tell(work_ended{std::move(what)}); }

// --- what is asked of this node ------------------------------------------------------------------------------------

void joiner::get_db_contents(const answer_to<control::get_db_contents>& answer) {
  struct gathering {
    db_content_list all;
    std::size_t left = 0;
  };
  const auto g = std::make_shared<gathering>();
  if (const auto lines = databases_.get_db_lineages())
    for (const auto& l : lines->entries)
      g->all.entries.push_back({.db_id = l.db_id,
                                .claim = content_claim::member,
                                .generation = l.generation,
                                .records = number(l.member)});
  for (const auto& [id, d] : databases_.all()) g->left += d.open;
  if (g->left == 0) return answer.good(g->all);
  for (const auto& [id, d] : databases_.all())
    if (d.open)
      d.to.tell(db_tell_contents{[g, answer](const std::vector<db_content_entry>& one) {
        g->all.entries.insert(g->all.entries.end(), one.begin(), one.end());
        if (--g->left == 0) answer.good(g->all);
      }});
}

outcome_of<control::join> joiner::join(const request_of<control::join>& wanted, const caller& by) {
  const auto& view = port_.view();
  const auto other = node_flag::banned | node_flag::stopped;
  if (view.own_flags() & other) return refuse("is stopped or banned");
  if (wanted.databases.empty()) {
    feed(joining_event::needed{fmt::format("node {} leaves", number(by.from))});
    return {};
  }
  if (view.leader != pnn::unknown && view.leader != by.from)
    return refuse("follows another leader");
  if (view.mode == recovery_mode::normal) return refuse("takes part already");
  if (!machine_.may_be_asked()) return refuse("was asked before, to no avail");
  joining_event::asked e{.leader = by.from, .databases = {}};
  std::uint64_t records = 0;
  for (const auto& d : wanted.databases) {
    records += d.records;
    const auto* known = databases_.find(d.db_id);
    if (known && known->state == freeze_state::in_transaction)
      return refuse("a recovery is at work here");
    if ((known ? known->gen : generation::invalid) != d.generation)
      return refuse("has another content than it had told");
    e.databases.push_back(d.db_id);
  }
  if (machine_.state() == joining_state::out) {
    announced_ = records;
    bytes_per_second_ = std::uint64_t{wanted.rate} * 1'000'000;
  }
  feed(e);
  return {};
}

void joiner::came(const database_fill& m) {
  if (m.what == fill_end::part || m.what == fill_end::full) now_ = {m.records, m.in_all};
  if (m.what == fill_end::full) {
    full_ += m.records;
    now_ = {};
  }
  if (m.what == fill_end::refused || m.what == fill_end::unknown)
    port_.env.log.tell(
        event::fill_again{.db = databases_.name_of(m.id), .from = machine_.leader(), .why = m.why});
  feed(joining_event::came{m.fill, m.what, m.why});
}

void joiner::tick() {
  const auto& view = port_.view();
  if (view.own_flags() & (node_flag::banned | node_flag::stopped)) feed(joining_event::left{});
  if (machine_.state() == joining_state::filling && !databases_.find(machine_.left().front()))
    feed(joining_event::came{machine_.fill(), fill_end::refused, "it was detached here"});
  feed(joining_event::ticked{});
  if (machine_.state() == joining_state::out && view.mode == recovery_mode::normal)
    feed(joining_event::taken_in{});
}

std::optional<joining_progress> joiner::progress() const {
  if (machine_.state() == joining_state::out) return std::nullopt;
  const auto ms = in_ms(port_.env.loop.now() - since_);
  joining_progress p{.from = machine_.leader(),
                     .db = databases_.name_of(machine_.left().front()),
                     .databases = machine_.left().size(),
                     .records = full_ + now_.records,
                     .in_all = std::max(announced_, full_ + now_.in_all),
                     .ms = ms};
  if (p.records > 0 && p.in_all >= p.records)
    p.left_ms = static_cast<std::int64_t>(static_cast<double>(ms) *
                                          static_cast<double>(p.in_all - p.records) /
                                          static_cast<double>(p.records));
  return p;
}

// --- what follows --------------------------------------------------------------------------------------------------

void joiner::feed(const joining_input& e) {
  for (const auto& effect : machine_.step(e, port_.env.loop.now()))
    std::visit([this](const auto& x) { act(x); }, effect);
}

/// Everybody takes it for one that takes no part, its own leader among them. UNHEALTHY is what tools of CTDB understand.
void joiner::act(const joining_effect::leave&) {
  since_ = port_.env.loop.now();
  full_ = 0;
  now_ = {};
  port_.note(event::catching_up{
      .from = machine_.leader(), .databases = machine_.left().size(), .records = announced_});
  membership_.set_own_flags(node_flag::catching_up | node_flag::unhealthy, 0);
  membership_.set_mode(recovery_mode::active, "this node is filled before it joins");
}

void joiner::act(const joining_effect::fill& e) {
  const auto* d = databases_.find(e.db);
  if (!d) return attach(e);
  fill(e);
}

/// A node that was started has no volatile databases: their names are the leader's.
void joiner::attach(const joining_effect::fill& e) {
  const auto attached = [this, e](const control_answer& a) {
    if (a.status != 0) return refused(e.fill, "cannot attach it: " + a.text);
    fill(e);
  };
  const auto named = [this, e, attached](const control_answer& a) {
    const auto name = decode_reply<control::get_dbname>(a.data);
    if (a.status != 0 && a.cause == failure_cause::refused)
      return feed(joining_event::came{e.fill, fill_end::gone, a.text});
    if (a.status != 0 || !name) return refused(e.fill, "its name is not known: " + a.text);
    call_control c{.to = port_.env.self,
                   .opcode = control::db_attach,
                   .data = bytes(a.data),
                   .patience = attach_patience,
                   .answer = replier([this, attached](const control_answer& done) {
                     on_a_turn([attached, done] { attached(done); });
                   })};
    calls_.send(c);
  };
  calls_.ask<control::get_dbname>(
      e.from, e.db, attach_patience,
      replier([this, named](const control_answer& a) { on_a_turn([named, a] { named(a); }); }));
}

void joiner::fill(const joining_effect::fill& e) {
  const auto* d = databases_.find(e.db);
  if (!d || !d->open) return refused(e.fill, "it is not open here");
  d->to.tell(db_fill_from{
      .from = e.from, .fill = e.fill, .anew = e.anew, .bytes_per_second = bytes_per_second_});
}

void joiner::refused(fill_number fill, std::string why) {
  feed(joining_event::came{fill, fill_end::refused, std::move(why)});
}

void joiner::act(const joining_effect::rest& e) {
  port_.env.loop.after(e.after, [this, to = port_.self, fill = e.fill] {
    to.tell(work_ended{[this, fill] { feed(joining_event::woke{fill}); }});
  });
}

/// The leader sees the flag go, and takes the node in.
void joiner::act(const joining_effect::ready& e) {
  port_.note(event::caught_up{
      .full = e.full, .records = full_, .ms = in_ms(port_.env.loop.now() - since_), .why = e.why});
  const bool ran = port_.view().run == runstate::running;
  membership_.set_own_flags(0, node_flag::catching_up | (ran ? node_flag::unhealthy : 0U));
}

}  // namespace floe
