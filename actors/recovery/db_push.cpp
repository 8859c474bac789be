/// The winners go out, to whom they are missing, a few buffers at a time.
#include <algorithm>

#include "actors/recovery/db_recoverer.hpp"

namespace floe {
namespace {

/// Pushed buffers on their way to one node at a time.
constexpr unsigned push_window = 4;

}  // namespace

void db_recoverer::act(const db_effect::push& e) {
  if (is_held(db_phase::push) && gate_.is_open()) {
    gate_.shut(name(db_phase::push), e);
    return show_progress();
  }
  targets_.clear();
  for (pnn n : e.nodes) {
    auto& t = targets_[n];
    for (const auto& p : parcels_)
      if (p.to.empty() || std::ranges::find(p.to, n) != p.to.end())
        for (const auto& b : p.buffers) t.buffers.push_back(b);
  }
  env_.loop.cancel(push_timer_);
  push_timer_ =
      env_.loop.after(e.timeout, [to = self(), run = e.run] { to.tell(dbr_push_late{run}); });
  if (std::ranges::all_of(targets_, [](const auto& t) { return t.second.buffers.empty(); })) {
    env_.loop.cancel(push_timer_);
    return feed(db_event::pushed{e.run});
  }
  for (pnn n : e.nodes) push_more(n);
}

void db_recoverer::push_more(pnn n) {
  auto& t = targets_.at(n);
  while (t.next < t.buffers.size() && t.in_flight < push_window) {
    ++t.in_flight;
    outcome_.bytes_out += t.buffers[t.next]->size();
    node_.tell(
        post_message{n, push_srvid_, t.buffers[t.next++], [to = self(), run = machine_.run(), n] {
                       to.tell(dbr_written{run, n});
                     }});
  }
}

void db_recoverer::on(dbr_written& m) {
  if (m.run != machine_.run() || machine_.phase() != db_phase::push) return;
  --targets_.at(m.to).in_flight;
  push_more(m.to);
  show_progress_now_and_then();
  const bool all = std::ranges::all_of(targets_, [](const auto& t) {
    return t.second.next == t.second.buffers.size() && t.second.in_flight == 0;
  });
  if (!all) return;
  env_.loop.cancel(push_timer_);
  feed(db_event::pushed{m.run});
}

void db_recoverer::on(dbr_push_late& m) {
  if (m.run == machine_.run() && machine_.phase() == db_phase::push)
    feed(db_event::broke{.run = m.run, .detail = "records could not be sent in time"});
}

}  // namespace floe
