/// Clusters of voting nodes in virtual time: cut links (also in one direction), hung nodes, nodes
/// that may not lead; by vote and with a cluster lock that is lost, cannot be asked or hangs. After the last fault everybody agrees on one leader within a bound, and it is
/// one that can lead.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "protocol/rules/election.hpp"

using namespace floe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

class world {
 public:
  world(std::uint64_t seed, std::uint32_t nodes, bool with_lock)
      : chance_(seed), with_lock_(with_lock), only_floe_(seed % 2 == 0) {
    for (std::uint32_t i = 0; i < nodes; ++i)
      nodes_.push_back({election(pnn{i}, {}, with_lock), {}, false});
    for (std::uint32_t i = 0; i < nodes; ++i) {
      set_standing(i, true);
      act(i, nodes_[i].machine.step(election_event::start{}));
    }
  }

  void faults(int how_many) {
    for (int i = 0; i < how_many; ++i) {
      const auto a = pick(), b = pick();
      switch (chance_() % (with_lock_ ? 8 : 6)) {
        case 0: cut(a, b), cut(b, a); break;
        case 1: cut(a, b); break;
        case 2: cut_.clear(); break;
        case 3: hang(a, !nodes_[a].hung); break;
        case 4: set_standing(a, chance_() % 2 == 0); break;
        case 6: lose_lock(); break;
        case 7: lock_works_ = !lock_works_; break;
        default: break;
      }
      run(milliseconds(chance_() % 9000));
    }
  }
  void heal() {
    cut_.clear();
    lock_works_ = true;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) hang(i, false);
    if (able().empty()) set_standing(pick(), true);
  }
  void run(duration how_long) {
    const time_point end = now_ + how_long;
    while (!agenda_.empty() && agenda_.begin()->first <= end) {
      auto [at, due] = *agenda_.begin();
      agenda_.erase(agenda_.begin());
      now_ = at;
      if (nodes_[due.node].hung)
        nodes_[due.node].missed.push_back(due.event);
      else
        act(due.node, nodes_[due.node].machine.step(due.event));
      if (with_lock_) CHECK(leading() <= 1);
    }
    now_ = end;
  }
  /// With a lock never two nodes that run lead at one time.
  std::size_t leading() const {
    std::size_t n = 0;
    for (const auto& x : nodes_) n += !x.hung && x.machine.leads();
    return n;
  }
  bool agreed() const {
    std::set<pnn> leaders;
    std::size_t leading = 0;
    for (const auto& n : nodes_) {
      if (n.machine.state() != election_state::settled) return false;
      leaders.insert(n.machine.leader());
      leading += n.machine.leads();
    }
    return leaders.size() == 1 && leading == 1 && able().contains(*leaders.begin());
  }
  std::set<pnn> able() const {
    std::set<pnn> s;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].can_lead) s.insert(pnn{i});
    return s;
  }

 private:
  struct node {
    election machine;
    std::vector<election_input> missed;
    bool hung = false;
    bool can_lead = true;
    std::uint64_t lock = 0;  ///< serial of the last try
  };
  struct item {
    std::uint32_t node;
    election_input event;
  };

  std::uint32_t pick() { return static_cast<std::uint32_t>(chance_() % nodes_.size()); }
  /// The receiver notices the loss only if it goes both ways, as a broken connection does.
  void cut(std::uint32_t from, std::uint32_t to) {
    if (from == to) return;
    cut_.insert({from, to});
    if (cut_.contains({to, from}) && chance_() % 2)
      for (auto [at, gone] : {std::pair{from, to}, std::pair{to, from}})
        agenda_.emplace(now_ + milliseconds(1), item{at, election_event::node_gone{pnn{gone}}});
  }
  void hang(std::uint32_t i, bool hung) {
    nodes_[i].hung = hung;
    if (hung) {
      if (holder_ == i) holder_.reset();  // its lease ends, unseen by itself
      return;
    }
    // the first thing it does is look at its lease
    if (nodes_[i].machine.holds_lock() && holder_ != i)
      act(i, nodes_[i].machine.step(election_event::lock_lost{nodes_[i].lock}));
    for (auto& e : std::exchange(nodes_[i].missed, {})) {
      if (auto* a = std::get_if<election_event::lock_answered>(&e); a && holder_ != i)
        a->outcome = lock_outcome::failed;
      act(i, nodes_[i].machine.step(e));
    }
  }
  bool reaches(std::uint32_t a, std::uint32_t b) const {
    return !cut_.contains({a, b}) && !cut_.contains({b, a});
  }
  std::uint32_t reached_by(std::uint32_t i) const {
    std::uint32_t n = 0;
    for (std::uint32_t other = 0; other < nodes_.size(); ++other) n += reaches(i, other);
    return n;
  }
  void set_standing(std::uint32_t i, bool can_lead) {
    nodes_[i].can_lead = can_lead;
    const auto seconds_now = static_cast<std::uint64_t>(now_.time_since_epoch() / seconds(1));
    act(i, nodes_[i].machine.step(election_event::standing_changed{{.can_lead = can_lead,
                                                                    .inactive = !can_lead,
                                                                    .priority = {seconds_now, 0},
                                                                    .connected = reached_by(i),
                                                                    .only_floe = only_floe_}}));
  }
  void act(std::uint32_t i, const std::vector<election_output>& out) {
    for (const auto& o : out) {
      if (auto* a = std::get_if<election_effect::arm>(&o))
        agenda_.emplace(now_ + a->after, item{i, election_event::fired{a->timer, a->serial}});
      if (auto* l = std::get_if<election_effect::send_leader>(&o))
        post(i, election_event::leader_heard{
                    pnn{i}, l->leader,
                    l->leader == pnn{i} && i % 3 != 2 ? std::optional(l->term) : std::nullopt});
      if (auto* v = std::get_if<election_effect::send_vote>(&o))
        post(i, election_event::vote_heard{v->cast});
      if (auto* t = std::get_if<election_effect::send_term>(&o))
        send(i, number(t->to), election_event::term_heard{t->term, t->led});
      if (auto* s = std::get_if<election_effect::say_who_leads>(&o))
        if (!reaches(number(s->to), number(s->leader)))
          send(i, number(s->to), election_event::leader_elsewhere{pnn{i}, s->leader});
      if (auto* t = std::get_if<election_effect::take_lock>(&o)) take_lock(i, t->serial);
      if (std::holds_alternative<election_effect::release_lock>(o)) {
        nodes_[i].lock = 0;
        if (holder_ != i) continue;
        holder_.reset();
        agenda_.emplace(now_ + milliseconds(5), item{i, election_event::lock_released{}});
      }
    }
  }
  void post(std::uint32_t from, const election_input& e) {
    for (std::uint32_t to = 0; to < nodes_.size(); ++to) send(from, to, e);
  }
  void send(std::uint32_t from, std::uint32_t to, const election_input& e) {
    if (cut_.contains({from, to})) return;
    auto& last = last_arrival_[{from, to}];  // in order per pair
    last = std::max(last, now_ + milliseconds(to == from ? 0 : 1 + chance_() % 80));
    agenda_.emplace(last, item{to, e});
  }
  /// The answer takes a moment, during which somebody else may be quicker.
  void take_lock(std::uint32_t i, std::uint64_t serial) {
    auto outcome = lock_works_ ? lock_outcome::contended : lock_outcome::failed;
    if (lock_works_ && !holder_) {
      holder_ = i;
      outcome = lock_outcome::taken;
    }
    nodes_[i].lock = serial;
    agenda_.emplace(now_ + milliseconds(1 + chance_() % 20),
                    item{i, election_event::lock_answered{serial, outcome}});
  }
  void lose_lock() {
    if (!holder_ || !nodes_[*holder_].machine.holds_lock()) return;
    const auto i = *std::exchange(holder_, std::nullopt);
    act(i, nodes_[i].machine.step(election_event::lock_lost{nodes_[i].lock}));
  }

  std::mt19937_64 chance_;
  std::vector<node> nodes_;
  bool with_lock_, only_floe_;
  bool lock_works_ = true;
  std::optional<std::uint32_t> holder_;  ///< of the lock
  time_point now_{seconds(1000)};
  std::multimap<time_point, item> agenda_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, time_point> last_arrival_;
};

}  // namespace

TEST_CASE(
    "random faults: one leader that can lead, known to all, within a bound after the last of "
    "them") {
  for (std::uint64_t seed = 1; seed <= 800; ++seed) {
    CAPTURE(seed);
    const bool with_lock = seed > 400;
    world w(seed, static_cast<std::uint32_t>(1 + seed % 5), with_lock);
    w.faults(static_cast<int>(seed % 12));
    w.heal();
    w.run(seconds(30));
    CHECK(w.agreed());
    w.run(seconds(20));  // and it stays so
    CHECK(w.agreed());
  }
}
