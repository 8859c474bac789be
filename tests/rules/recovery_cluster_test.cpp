/// One volatile database on a few nodes that write, delete and migrate its records, hang, come
/// back, restart, and lose their leader in the middle of a recovery; everything decided by the
/// rules. An independent judge knows every value ever written and who took part in which recovery:
///
/// * a recovery keeps the newest value any node that took part in the last generation has;
/// * what was given up once (an overwritten value, a deleted record) never comes back;
/// * afterwards all participants hold the same content and the leader is dmaster of it;
/// * while nothing is lost, a client finds what was written last.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/constants.hpp"
#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"
#include "protocol/rules/read_only.hpp"
#include "protocol/rules/winner.hpp"

using namespace floe;

namespace {

constexpr db_id the_db{1};
constexpr recovery_epoch epoch{1};
using content = std::map<std::string, record>;

struct packet {
  enum class kind { req_call, req_dmaster, reply_dmaster } what{};
  generation gen{};
  pnn source{0};  ///< of the request
  std::string key;
  std::uint32_t hops = 0;
  dmaster_packet dmaster{};
  std::string data;
};

struct node {
  content store, staged;
  freeze_status freeze{.state = freeze_state::frozen};  // a node starts frozen
  generation db_gen = generation::invalid, map_gen = generation::invalid;
  std::vector<pnn> map;
  recovery_mode mode = recovery_mode::active;
  bool hung = false;
  bool slept = false;  ///< it has hung, and committed nothing since
  lineage line;        ///< of the database
  int committed = -1;  ///< the judge's: the recovery its content comes from
};

class world {
 public:
  world(std::uint64_t seed, std::uint32_t nodes) : chance_(seed), nodes_(nodes) {}

  void play(int steps) {
    recover_until_done();
    for (int i = 0; i < steps; ++i) {
      switch (chance_() % 40) {
        case 0: hang(); break;
        case 1: restart(pick()); break;
        case 2: wake(); break;
        case 3:
          lose_leader_at_ = 1 + chance_() % 14;
          recover_until_done();
          break;
        case 4: recover_until_done(); break;
        default: traffic(); break;
      }
    }
    for (auto& n : nodes_) n.hung = false;
    recover_until_done();
  }

 private:
  // ---- clients and packets ----

  node& at(pnn p) { return nodes_.at(number(p)); }
  pnn pick() { return pnn{static_cast<std::uint32_t>(chance_() % nodes_.size())}; }
  bool serves(pnn p) { return !at(p).hung && at(p).freeze.state == freeze_state::thawed; }

  void traffic() {
    if (chance_() % 3 == 0) {
      const pnn n = pick();
      if (serves(n)) client(n, "k" + std::to_string(chance_() % 4));
    }
    std::vector<std::pair<pnn, pnn>> ready;
    for (const auto& [pair, queue] : links_)
      if (!queue.empty() && serves(pair.second)) ready.push_back(pair);
    if (ready.empty()) return;
    const auto pair = ready[chance_() % ready.size()];
    const packet p = links_[pair].front();
    links_[pair].pop_front();
    if (accept_generation(p.gen, at(pair.second).map_gen, false)) receive(pair.second, p);
  }
  void client(pnn self, const std::string& key) {
    const auto copy = at(self).store.find(key);
    const bool ours = copy != at(self).store.end() && copy->second.header.dmaster == self;
    if (!ours && !map_applies(at(self).db_gen, at(self).map_gen)) return;
    const auto d = decide_local_call(self, lookup(self, key));
    if (d.serve) return write(self, key);
    if (d.ask != pnn::unknown)
      send(self, d.ask, {.what = packet::kind::req_call, .source = self, .key = key});
  }
  /// A client of the dmaster: reads, then writes a value nobody has written before, or deletes.
  void write(pnn self, const std::string& key) {
    record& r = at(self).store.at(key);
    REQUIRE(r.header.dmaster == self);
    if (!up_to_date(self)) {  // until it takes part in a recovery it lives in the past
      r.data = std::to_string(++values_);
      (at(self).committed < last_complete_ ? given_up_ : doubtful_).insert(r.data);
      return;
    }
    REQUIRE_FALSE(given_up_.contains(r.data));
    REQUIRE((r.data == latest_[key] || doubtful_.contains(r.data)));
    if (!latest_[key].empty()) history_[key].push_back(latest_[key]);
    r.data = chance_() % 4 == 0 ? "" : std::to_string(++values_);
    latest_[key] = r.data;
    deleted_at_[key] = r.data.empty() ? r.header.rsn : rsn{0};
  }
  void send(pnn from, pnn to, packet p) {
    p.gen = at(from).db_gen;
    links_[{from, to}].push_back(std::move(p));
  }
  record_header lookup(pnn self, const std::string& key) {
    auto& store = at(self).store;
    if (auto it = store.find(key); it != store.end()) return it->second.header;
    const auto m = decide_missing(db_kind::volatile_db, self, lmaster_of(key, at(self).map));
    if (m.write) store[key] = {key, m.header, {}};
    return m.header;
  }
  void put(pnn self, content& where, const std::string& key, const record_header& h,
           const std::string& data) {
    const auto d =
        decide_store(db_kind::volatile_db, self, lmaster_of(key, at(self).map), h, !data.empty());
    if (d.keep)
      where[key] = {key, d.header, data};
    else
      where.erase(key);
  }
  void receive(pnn self, packet p) {
    const pnn l = lmaster_of(p.key, at(self).map);
    if (p.what == packet::kind::req_call) {
      const auto local = lookup(self, p.key);
      const auto d = decide_req_call(self, l, p.source, local, p.hops);
      p.hops = d.hops;
      if (d.outcome == req_call_outcome::serve_own) return write(self, p.key);
      if (d.outcome == req_call_outcome::redirect) {
        if (p.hops < 50) send(self, d.to, p);  // asked in vain: the record is on its way
        return;
      }
      REQUIRE(d.outcome != req_call_outcome::unroutable);
      p.data = at(self).store.at(p.key).data;
      const auto given = giveaway_header(local, !p.data.empty(), p.source);
      put(self, at(self).store, p.key, given, p.data);
      p.what = d.outcome == req_call_outcome::give_directly ? packet::kind::reply_dmaster
                                                            : packet::kind::req_dmaster;
      p.dmaster = {.source = self, .new_dmaster = p.source, .rsn = given.rsn, .flags = given.flags};
      return send(self, d.to, p);
    }
    if (p.what == packet::kind::req_dmaster) {
      std::optional<record_header> local;
      if (auto it = at(self).store.find(p.key); it != at(self).store.end())
        local = it->second.header;
      const auto d = decide_req_dmaster(self, l, p.dmaster, local);
      REQUIRE_FALSE(d.ask_for_recovery());
      if (d.outcome == req_dmaster_outcome::pass_on) {
        put(self, at(self).store, p.key, d.header, p.data);
        p.what = packet::kind::reply_dmaster;
        return send(self, p.dmaster.new_dmaster, p);
      }
    }
    const auto d = decide_reply_dmaster(self, p.dmaster, {.found = true, .same_key = true});
    put(self, at(self).store, p.key, d.header, p.data);
    write(self, p.key);
  }

  // ---- faults ----

  std::vector<pnn> awake() const {
    std::vector<pnn> v;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      if (!nodes_[i].hung) v.push_back(pnn{i});
    return v;
  }
  /// Without a lock or a quorum nothing can be promised to a cluster whose last knowing node is
  /// gone.
  bool can_do_without(pnn p) {
    return std::ranges::any_of(awake(), [&](pnn n) { return n != p && up_to_date(n); });
  }
  void hang() {
    const pnn p = pick();
    if (!can_do_without(p)) return;
    at(p).hung = at(p).slept = true;
    if (chance_() % 2) recover_until_done();  // the others go on without it
  }
  void wake() {
    for (auto& n : nodes_)
      if (n.hung && chance_() % 2) n.hung = false;
    if (chance_() % 2) lose_leader_at_ = 1 + chance_() % 14;
    recover_until_done();
  }
  void restart(pnn p) {
    if (!can_do_without(p)) return;
    restart_quietly(p);
    recover_until_done();
  }

  // ---- recovery ----

  void recover_until_done() {
    for (int tries = 0; tries < 20; ++tries) {
      const auto candidates = awake();
      if (candidates.empty()) {
        nodes_[0].hung = false;
        continue;
      }
      if (recover(candidates[chance_() % candidates.size()], candidates)) return;
    }
    FAIL("no recovery ends");
  }

  /// One attempt; false if the leader was lost on the way.
  bool recover(pnn leader, const std::vector<pnn>& connected) {
    leader_ = leader;
    cluster_ = {};
    db_ = {};
    pulled_.clear();
    std::uint64_t step = 0;
    const std::uint64_t lost_at = std::exchange(lose_leader_at_, 0);
    std::deque<std::variant<cluster_output, db_output>> pending;
    auto feed = [&](const cluster_input& e) {
      for (auto& o : cluster_.step(e, {})) pending.emplace_back(std::move(o));
    };
    auto feed_db = [&](const db_input& e) {
      for (auto& o : db_.step(e, {})) pending.emplace_back(std::move(o));
    };
    feed(cluster_event::start{{.epoch = epoch,
                               .leader = leader,
                               .gen = generation{static_cast<std::uint32_t>(chance_())},
                               .connected = connected,
                               .step_timeout = std::chrono::seconds(1),
                               .db_budget = std::chrono::seconds(1)}});
    while (!pending.empty()) {
      const auto o = pending.front();
      pending.pop_front();
      const auto* c = std::get_if<cluster_output>(&o);
      const auto* d = std::get_if<db_output>(&o);
      const auto* ask = c ? std::get_if<cluster_effect::ask>(c) : nullptr;
      const auto* ask_db = d ? std::get_if<db_effect::ask>(d) : nullptr;
      if (ask || ask_db) {
        auto nodes = ask ? ask->nodes : ask_db->nodes;
        std::ranges::shuffle(nodes, chance_);
        const bool lost = ++step == lost_at;
        // what the leader still sent before it was lost reaches some
        if (lost) nodes.resize(chance_() % (nodes.size() + 1));
        for (pnn n : nodes) {
          if (ask) feed(obey(n, ask->phase));
          if (ask_db) feed_db(obey(n, *ask_db));
          for (int i = 0; i < 3; ++i) traffic();
        }
        if (lost) return lose(leader);
      } else if (c) {
        if (auto* r = std::get_if<cluster_effect::recover>(c)) {
          begin_lineage(r->plan);
          feed_db(db_event::start{r->plan});
        }
        if (auto* e = std::get_if<cluster_effect::ended>(c)) REQUIRE(e->good);
      } else {
        if (auto* m = std::get_if<db_effect::merge>(d)) feed_db(db_event::merged{m->run, merge()});
        if (auto* p = std::get_if<db_effect::push>(d)) {
          for (pnn n : p->nodes)
            for (const auto& [key, r] : merged_)
              put(n, at(n).staged, key, without_copies(r.header), r.data);
          feed_db(db_event::pushed{p->run});
        }
        if (auto* e = std::get_if<db_effect::ended>(d)) {
          REQUIRE(e->good);
          feed(cluster_event::db_ended{.epoch = epoch, .db = the_db, .good = true});
        }
      }
    }
    REQUIRE(cluster_.phase() == cluster_phase::done);
    return true;
  }
  bool lose(pnn leader) {
    if (!can_do_without(leader)) return false;
    if (chance_() % 2)
      at(leader).hung = at(leader).slept = true;
    else
      restart_quietly(leader);
    return false;
  }
  void restart_quietly(pnn p) {
    at(p) = {};
    for (auto& [pair, queue] : links_)
      if (pair.first == p || pair.second == p) queue.clear();
  }

  cluster_input obey(pnn n, cluster_phase phase) {
    node& x = at(n);
    switch (phase) {
      case cluster_phase::survey:
        return cluster_event::surveyed{
            epoch, n, 0, capability::recmaster | capability::lmaster, x.map_gen, x.map};
      case cluster_phase::dbmaps: {
        auto line = x.line;
        if (x.slept) std::erase(line.members, n);
        return cluster_event::listed{epoch, n, {{the_db, 0, line}}};
      }
      case cluster_phase::recmode_active: x.mode = recovery_mode::active; break;
      case cluster_phase::set_vnn_map:
        x.map_gen = cluster_.plan().gen;
        x.map = cluster_.slots();
        break;
      case cluster_phase::recmode_normal:
        REQUIRE(x.db_gen == x.map_gen);
        x.mode = recovery_mode::normal;
        break;
      default: break;
    }
    return cluster_event::answered{epoch, phase, n};
  }

  freeze_step go(node& x, const freeze_input& e) {
    const auto s = step(x.freeze, e);
    REQUIRE(s.refused == freeze_refusal::none);
    x.freeze = s.next;
    if (s.roll_back) x.staged = x.store;
    return s;
  }
  db_input obey(pnn n, const db_effect::ask& a) {
    node& x = at(n);
    db_event::answered r{.run = a.run, .phase = a.phase, .node = n, .text = "x"};
    const generation tid = db_.plan().gen;
    switch (a.phase) {
      case db_phase::freeze: go(x, freeze_event::freeze{}); break;
      case db_phase::begin:
        go(x, freeze_event::begin{tid});
        x.staged = x.store;
        break;
      case db_phase::pull:
        go(x, freeze_event::pull{});
        pulled_[n] = x.store;
        r.number = r.arrived = x.store.size();
        break;
      case db_phase::wipe:
        go(x, freeze_event::wipe{tid});
        x.staged.clear();
        break;
      case db_phase::push_start: go(x, freeze_event::push_start{}); break;
      case db_phase::push_confirm:
        go(x, freeze_event::push_confirm{});
        r.number = x.staged.size();
        break;
      case db_phase::commit:
        x.db_gen = go(x, freeze_event::commit{tid}).committed;
        x.line = {.gen = x.db_gen, .members = x.map, .committed = true};
        x.slept = false;
        x.store = x.staged;
        x.committed = static_cast<int>(history_of_recoveries_.size()) - 1;
        history_of_recoveries_.back().some_committed = true;
        if (std::ranges::all_of(history_of_recoveries_.back().participants,
                                [&](pnn p) { return at(p).committed == x.committed; }))
          complete();
        break;
      case db_phase::thaw:
        check_content(n);
        go(x, freeze_event::thaw{});
        break;
      default: break;
    }
    return r;
  }
  std::uint64_t merge() {
    std::map<std::string, std::pair<record_claim, std::string>> best;
    for (const auto& [n, records] : pulled_)
      for (const auto& [key, r] : records) {
        const record_claim mine{.header = r.header, .holder = n, .took_part = true};
        const auto it = best.find(key);
        if (it == best.end() || beats(mine, it->second.first, leader_)) best[key] = {mine, r.data};
      }
    merged_.clear();
    for (const auto& [key, b] : best)
      if (auto h =
              recovered_header(db_kind::volatile_db, b.first.header, !b.second.empty(), leader_))
        merged_[key] = {key, *h, b.second};
    judge();
    return merged_.size();
  }

  // ---- the judge ----

  struct one_recovery {
    std::set<pnn> participants;
    bool some_committed = false;
  };
  /// The map has reached all participants: this recovery is part of history.
  void begin_lineage(const db_plan& plan) {
    history_of_recoveries_.emplace_back();
    for (const auto& p : plan.participants)
      history_of_recoveries_.back().participants.insert(p.node);
  }
  /// Nobody may know anything newer about this node's records than it does itself.
  bool up_to_date(pnn n) {
    const int c = at(n).committed;
    if (c < 0 || c < last_complete_) return false;
    for (std::size_t r = static_cast<std::size_t>(c) + 1; r < history_of_recoveries_.size(); ++r)
      if (history_of_recoveries_[r].some_committed &&
          !history_of_recoveries_[r].participants.contains(n))
        return false;
    return true;
  }
  std::string kept(const std::string& key) const {
    const auto it = merged_.find(key);
    return it == merged_.end() ? "" : it->second.data;
  }
  /// The merged content against everything that was ever written.
  void judge() {
    for (const auto& [key, r] : merged_) {
      REQUIRE_FALSE(given_up_.contains(r.data));
      REQUIRE((latest_.contains(key) || doubtful_.contains(r.data)));
    }
    for (const auto& [key, value] : latest_) {
      if (kept(key) == value || doubtful_.contains(kept(key))) continue;
      for (pnn n : history_of_recoveries_.back().participants) {  // lost: only if nobody has it
        const auto copy = at(n).store.find(key);
        if (!up_to_date(n) || copy == at(n).store.end()) continue;
        if (value.empty())
          REQUIRE_FALSE((copy->second.data.empty() && copy->second.header.rsn >= deleted_at_[key]));
        else
          REQUIRE(copy->second.data != value);
      }
      ++losses_;
    }
  }
  /// All participants have the merged content for good: what is not in it must never be seen again.
  void complete() {
    last_complete_ = static_cast<int>(history_of_recoveries_.size()) - 1;
    for (auto& [key, value] : latest_) {
      auto old = std::exchange(history_[key], {});
      old.push_back(value);
      for (const auto& v : old)
        if (!v.empty() && v != kept(key)) given_up_.insert(v);
      value = kept(key);
    }
  }
  void check_content(pnn n) {
    const auto& store = at(n).store;
    REQUIRE(store.size() == merged_.size());
    for (const auto& [key, r] : merged_) {
      const record& own = store.at(key);
      REQUIRE(own.data == r.data);
      REQUIRE(own.header.dmaster == leader_);
      REQUIRE(number(own.header.rsn) == number(r.header.rsn) + (n == leader_ ? 1 : 0));
    }
  }

  std::mt19937_64 chance_;
  std::vector<node> nodes_;
  std::map<std::pair<pnn, pnn>, std::deque<packet>> links_;
  std::uint64_t lose_leader_at_ = 0;

  pnn leader_{0};
  cluster_recovery cluster_;
  db_recovery db_;
  std::map<pnn, content> pulled_;
  content merged_;

  std::vector<one_recovery> history_of_recoveries_;
  int last_complete_ = -1;  ///< the last recovery that all its participants committed
  std::uint64_t values_ = 0;
  int losses_ = 0;
  std::map<std::string, std::string> latest_;                ///< last written value of each key
  std::map<std::string, rsn> deleted_at_;                    ///< rsn at which it was deleted
  std::map<std::string, std::vector<std::string>> history_;  ///< overwritten since
  std::set<std::string> given_up_;                           ///< must never be seen again
  /// Written by a node that an unfinished recovery left out: may survive or not.
  std::set<std::string> doubtful_;
};

}  // namespace

TEST_CASE("random clusters: recoveries keep the newest, and what is gone stays gone") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    world w(seed, static_cast<std::uint32_t>(2 + seed % 4));
    w.play(600);
  }
}
