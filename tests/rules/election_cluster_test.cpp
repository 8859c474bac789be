/// Clusters of voting nodes in virtual time: cut links (also in one direction), hung nodes, nodes
/// that may not lead. After the last fault everybody agrees on one leader within a bound, and it is
/// one that can lead.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
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
  world(std::uint64_t seed, std::uint32_t nodes) : chance_(seed) {
    for (std::uint32_t i = 0; i < nodes; ++i) nodes_.push_back({election(pnn{i}, {}), {}, false});
    for (std::uint32_t i = 0; i < nodes; ++i) {
      set_standing(i, true);
      act(i, nodes_[i].machine.step(election_event::start{}));
    }
  }

  void faults(int how_many) {
    for (int i = 0; i < how_many; ++i) {
      const auto a = pick(), b = pick();
      switch (chance_() % 6) {
        case 0: cut(a, b), cut(b, a); break;
        case 1: cut(a, b); break;
        case 2: cut_.clear(); break;
        case 3: hang(a, !nodes_[a].hung); break;
        case 4: set_standing(a, chance_() % 2 == 0); break;
        default: break;
      }
      run(milliseconds(chance_() % 9000));
    }
  }
  void heal() {
    cut_.clear();
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) hang(i, false);
    if (able().empty()) set_standing(pick(), true);
  }
  void run(duration how_long) {
    const time_point end = now_ + how_long;
    while (!agenda_.empty() && agenda_.begin()->first <= end) {
      auto [at, todo] = *agenda_.begin();
      agenda_.erase(agenda_.begin());
      now_ = at;
      if (nodes_[todo.node].hung)
        nodes_[todo.node].missed.push_back(todo.event);
      else
        act(todo.node, nodes_[todo.node].machine.step(todo.event));
    }
    now_ = end;
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
    if (hung) return;
    for (const auto& e : std::exchange(nodes_[i].missed, {})) act(i, nodes_[i].machine.step(e));
  }
  void set_standing(std::uint32_t i, bool can_lead) {
    nodes_[i].can_lead = can_lead;
    const auto seconds_now = static_cast<std::uint64_t>(now_.time_since_epoch() / seconds(1));
    act(i, nodes_[i].machine.step(election_event::standing_changed{{.can_lead = can_lead,
                                                                    .inactive = !can_lead,
                                                                    .priority = {seconds_now, 0},
                                                                    .connected = 1}}));
  }
  void act(std::uint32_t i, const std::vector<election_output>& out) {
    for (const auto& o : out) {
      if (auto* a = std::get_if<election_effect::arm>(&o))
        agenda_.emplace(now_ + a->after, item{i, election_event::fired{a->timer, a->serial}});
      if (auto* l = std::get_if<election_effect::send_leader>(&o))
        post(i, election_event::leader_heard{pnn{i}, l->leader});
      if (auto* v = std::get_if<election_effect::send_vote>(&o))
        post(i, election_event::vote_heard{v->cast});
    }
  }
  void post(std::uint32_t from, const election_input& e) {
    for (std::uint32_t to = 0; to < nodes_.size(); ++to) {
      if (cut_.contains({from, to})) continue;
      auto& last = last_arrival_[{from, to}];  // in order per pair
      last = std::max(last, now_ + milliseconds(to == from ? 0 : 1 + chance_() % 80));
      agenda_.emplace(last, item{to, e});
    }
  }

  std::mt19937_64 chance_;
  std::vector<node> nodes_;
  time_point now_{seconds(1000)};
  std::multimap<time_point, item> agenda_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> cut_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, time_point> last_arrival_;
};

}  // namespace

TEST_CASE(
    "random faults: one leader that can lead, known to all, within a bound after the last of "
    "them") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    world w(seed, static_cast<std::uint32_t>(1 + seed % 5));
    w.faults(static_cast<int>(seed % 12));
    w.heal();
    w.run(seconds(30));
    CHECK(w.agreed());
    w.run(seconds(20));  // and it stays so
    CHECK(w.agreed());
  }
}
