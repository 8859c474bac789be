#include "step_world.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "actors/table/record_table.hpp"
#include "actors/table/steps.hpp"

namespace floe {
namespace {

constexpr std::uint64_t longest_wait_allowed_us = 60'000;
constexpr std::uint64_t recall_heard_within_us = 1'000;
constexpr std::uint64_t node_polls_every_us = 20'000;

/// A content that tells whether it is whole: a number, and so many bytes that follow from it.
bytes content_of(std::uint64_t n) {
  bytes b = "value " + std::to_string(n) + ":";
  const auto size = b.size() + n * 37 % 190;
  while (b.size() < size) b += static_cast<char>('a' + (n + b.size()) % 26);
  return b;
}
bool whole(byte_view b) {
  if (b.empty()) return true;
  const auto colon = b.find(':');
  if (!b.starts_with("value ") || colon == byte_view::npos) return false;
  return b == content_of(std::stoull(std::string(b.substr(6, colon - 6))));
}

struct client_thread {
  enum class doing : std::uint8_t {
    idle,
    locking,
    holding,
    storing,
    unlocking,
    reading,
    waking,
    asking
  };
  std::uint32_t client = 0, thread = 1;
  doing now = doing::idle;
  bytes key;
  std::optional<table_lock> lock;
  std::optional<table_store> store;
  std::optional<table_unlock> unlock;
  std::optional<table_read> read;
  bytes data, read_into;
  table_place place;
  table_wakes wakes;
  std::uint64_t since_us = 0, until_us = 0;
  std::atomic<std::uint32_t>* asleep_on = nullptr;
  std::uint32_t asleep_bits = 0;
  unsigned work_left = 0;
  bool cleared = false;     ///< the node has taken it for lost: what it does now must do no harm
  std::uint64_t floor = 0;  ///< reads: rsn that a read must not fall below
};

/// What is known of a record.
struct truth {
  std::set<bytes> may_be{bytes()};  ///< more than one: somebody died or was cut off in a store
  const client_thread* holder = nullptr;
  bytes in_store;         ///< the node's
  std::uint64_t rsn = 0;  ///< of the node's
  std::uint64_t seen_rsn = 0;
};

class world {
 public:
  explicit world(std::uint64_t seed)
      : chance_(seed),
        memory_(table_memory::create_private({.sets = 1, .area_words = 4096})),
        table_(memory_) {
    const unsigned clients = 2 + pick(4), keys = 1 + pick(3);
    for (unsigned k = 0; k < keys; ++k) truth_["key " + std::to_string(k)];
    for (unsigned c = 0; c < clients; ++c) add_client();
  }
  step_verdict play(std::uint64_t steps) {
    for (v_.steps = 0; v_.steps < steps && v_.broken.empty(); ++v_.steps) {
      now_us_ += pick(3);
      if (pick(20) == 0) node_and_its_wakes();
      one_client();
      check_waits();
    }
    return v_;
  }

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(chance_() % below); }
  void note(std::uint64_t what) { v_.digest = (v_.digest ^ what) * 0x100000001b3ULL; }
  void broken(const std::string& what) {
    if (v_.broken.empty()) v_.broken = what + " (step " + std::to_string(v_.steps) + ")";
  }
  void add_client() {
    auto c = std::make_unique<client_thread>();
    c->client = table_.admit();
    c->thread = 1 + pick(3);
    clients_.push_back(std::move(c));
  }
  table_holder me(const client_thread& c) const { return holder_of(c.client, c.thread); }

  // --- clients
  void one_client() {
    std::vector<client_thread*> ready;
    for (auto& c : clients_) {
      if (c->asleep_on && now_us_ >= c->until_us) c->asleep_on = nullptr;
      if (!c->asleep_on) ready.push_back(c.get());
    }
    if (ready.empty()) {
      std::uint64_t next = now_us_ + 1000;
      for (auto& c : clients_) next = std::min(next, c->until_us);
      now_us_ = std::max(now_us_, next);
      return;
    }
    auto& c = *ready[pick(static_cast<unsigned>(ready.size()))];
    note(c.client * 16 + static_cast<unsigned>(c.now));
    step(c);
  }
  void sleep(client_thread& c, const table_sleep& s) {
    if (s.word->load() != s.value) return;
    c.asleep_on = s.word;
    c.asleep_bits = s.bits;
    c.until_us = s.until_us;
  }
  void wake(std::atomic<std::uint32_t>* word, std::uint32_t bits, std::size_t how_many) {
    for (auto& c : clients_)
      if (how_many > 0 && c->asleep_on == word && (c->asleep_bits & bits) != 0) {
        c->asleep_on = nullptr;
        --how_many;
      }
  }
  void step(client_thread& c) {
    using doing = client_thread::doing;
    switch (c.now) {
      case doing::idle: return begin(c);
      case doing::locking: return locking(c);
      case doing::holding: return holding(c);
      case doing::storing: return storing(c);
      case doing::unlocking: return unlocking(c);
      case doing::reading: return reading(c);
      case doing::waking:
        if (c.wakes.all_of) wake(c.wakes.word, c.wakes.all_of, clients_.size());
        if (c.wakes.one) wake(c.wakes.word, sleep_bits::any_chance, 1);
        if (c.wakes.node) rung_ = true;
        c.wakes = {};
        c.now = c.lock && c.lock->outcome() == lock_outcome::not_here ? doing::asking : doing::idle;
        return;
      case doing::asking: return asking(c);
    }
  }
  void begin(client_thread& c) {
    if (pick(3) == 0) return;
    c.key = std::next(truth_.begin(), pick(static_cast<unsigned>(truth_.size())))->first;
    c.lock.reset();
    c.since_us = now_us_;
    if (pick(4) == 0) {
      c.floor = truth_[c.key].seen_rsn;
      c.read.emplace(*memory_, me(c), c.key, pick(2) ? read_wait::for_holder : read_wait::none);
      c.now = client_thread::doing::reading;
    } else {
      c.lock.emplace(*memory_, me(c), c.key, pick(5) == 0 ? lock_wait::try_once : lock_wait::wait);
      c.now = client_thread::doing::locking;
    }
  }
  void locking(client_thread& c) {
    const auto need = c.lock->advance(now_us_);
    if (need == step_need::sleep) return sleep(c, c.lock->sleep());
    if (need != step_need::done) return;
    c.wakes = c.lock->wakes();
    if (c.lock->outcome() == lock_outcome::held) {
      c.place = c.lock->place();
      return granted(c);
    }
    c.now = client_thread::doing::waking;
  }
  void granted(client_thread& c) {
    c.now = client_thread::doing::holding;
    c.work_left = pick(4);
    if (c.cleared) return;
    ++v_.locks;
    v_.longest_wait_us = std::max(v_.longest_wait_us, now_us_ - c.since_us);
    auto& t = truth_[c.key];
    if (frozen_) broken("frozen is closed: a lock was granted");
    if (t.holder) broken("one holder: a lock was granted that another holds");
    t.holder = &c;
    see_held(c);
  }
  void see_held(client_thread& c) {
    bytes b;
    const auto content = read_held(*memory_, c.place, b);
    see(c.key, b, content.rsn, "a holder");
  }
  void see(const bytes& key, const bytes& b, std::uint64_t rsn, const char* who) {
    auto& t = truth_[key];
    if (!whole(b)) return broken(std::string("no half store: ") + who + " reads a torn content");
    if (!t.may_be.contains(b))
      return broken(std::string("no lost store: ") + who + " finds \"" + b.substr(0, 12) + "\"");
    if (rsn < t.seen_rsn) return broken(std::string("rsn falls: ") + who);
    t.seen_rsn = rsn;
    t.may_be = {b};
  }
  void holding(client_thread& c) {
    if (c.work_left == 0) {
      if (!c.cleared) truth_[c.key].holder = nullptr;
      c.unlock.emplace(*memory_, me(c), c.place);
      c.now = client_thread::doing::unlocking;
      return;
    }
    --c.work_left;
    if (pick(3) == 0) return;
    c.data = pick(12) == 0 ? bytes() : content_of(++last_value_);
    c.store.emplace(*memory_, me(c), c.place, c.data);
    if (!c.cleared) truth_[c.key].may_be.insert(c.data);
    c.now = client_thread::doing::storing;
  }
  void storing(client_thread& c) {
    if (c.store->advance(now_us_) != step_need::done) return;
    c.now = client_thread::doing::holding;
    if (c.cleared) {
      if (c.store->outcome() == store_outcome::stored)
        broken("no lost store: one who has lost its lock is told that it has stored");
      return;
    }
    if (c.store->outcome() == store_outcome::not_held)
      return broken("one holder: a holder is told that it holds nothing");
    ++v_.stores;
    auto& t = truth_[c.key];
    if (c.store->outcome() == store_outcome::to_node) {
      t.may_be.erase(c.data);
    } else {
      t.may_be = {c.data};
      ++t.seen_rsn;
    }
  }
  void unlocking(client_thread& c) {
    if (c.unlock->advance() != step_need::done) return;
    if (!c.cleared && !c.unlock->was_held())
      broken("one holder: an unlock of a lock that was not held");
    c.wakes = c.unlock->wakes();
    c.now = client_thread::doing::waking;
    const auto slot = c.place.slot;
    if (c.unlock->was_held() && table_.find(c.key) == slot && table_.recalled(slot))
      let_go_us_.try_emplace(slot, now_us_);
  }
  void reading(client_thread& c) {
    const auto need = c.read->advance(now_us_, c.read_into);
    if (need == step_need::sleep) return sleep(c, c.read->sleep());
    if (need != step_need::done) return;
    c.now = client_thread::doing::idle;
    if (c.read->outcome() != read_outcome::read) return;
    ++v_.reads;
    if (!whole(c.read_into)) broken("no half store: a reader reads a torn content");
    if (c.read->content().rsn < c.floor)
      broken("no lost store: a reader reads what was replaced before it began");
  }
  /// The node's queue, cut short: it grants if the record is outside the table and the database is open.
  void asking(client_thread& c) {
    if (c.cleared) return c.lock.reset(), void(c.now = client_thread::doing::idle);
    if (frozen_ || table_.closed()) return;
    c.lock.reset();
    c.now = client_thread::doing::idle;
    if (table_.find(c.key)) return;
    auto& t = truth_[c.key];
    const bool grant = pick(2) == 0;
    const auto at = table_.promote(c.key, t.rsn, 0, t.in_store, grant ? me(c) : table_holder::none);
    if (!at || !grant) return;
    const auto place = find(*memory_, c.key, table_hash(c.key));
    if (!place) return broken("a promoted record is not found");
    c.place = *place;
    granted(c);
  }

  // --- the node
  /// What the node wakes by the kernel is not seen here: the words that have counted up tell.
  void node_and_its_wakes() {
    std::vector<std::uint32_t> before;
    for (std::uint32_t i = 0; i < memory_->slots(); ++i)
      before.push_back(memory_->slot(i).wake.load());
    node();
    for (std::uint32_t i = 0; i < memory_->slots(); ++i)
      if (memory_->slot(i).wake.load() != before[i])
        wake(&memory_->slot(i).wake, ~0U, clients_.size());
  }
  void node() {
    if (rung_ || now_us_ >= next_poll_us_) {
      rung_ = false;
      next_poll_us_ = now_us_ + node_polls_every_us;
      look_at_recalls();
      collect();
    }
    if (closing_ && !closed_) return close();
    switch (pick(40)) {
      case 0:
      case 1: return recall_one();
      case 2: return freeze();
      case 3: return die();
      case 4: return kick();
      case 5:
      case 6:
      case 7: return collect();
      case 8: return bury();
      case 9:
        if (frozen_ && pick(3) == 0) thaw();
        return;
      default: return;
    }
  }
  void recall_one() {
    const auto all = table_.filled();
    if (all.empty() || closing_) return;
    const auto slot = all[pick(static_cast<unsigned>(all.size()))];
    if (table_.recalled(slot)) return;  // is waited for already
    ++v_.recalls;
    if (table_.recall(slot).state == slot_state::free) take(slot);
  }
  void look_at_recalls() {
    for (const auto slot : std::vector(table_.recalls()))
      if (table_.look(slot).state == slot_state::free) take(slot);
    if (closed_ && !frozen_ && !table_.any_holder()) now_frozen();
  }
  void take(std::uint32_t slot) {
    let_go_us_.erase(slot);
    const bytes key = table_.key_of(slot);
    const auto r = table_.take(slot);
    if (!r) return broken("a free record cannot be taken");
    auto& t = truth_[key];
    if (t.holder) broken("one holder: the node takes a record that is held");
    if (r->changed) keep(*r);
    see(key, t.in_store, t.rsn, "the node");
  }
  void keep(const table_record& r) {
    auto& t = truth_[r.key];
    t.in_store = r.data;
    t.rsn = r.rsn;
    if (!whole(r.data)) broken("no half store: the node reads a torn content");
  }
  void collect() {
    const auto bad = table_.collect([&](const table_record& r) { return keep(r), true; });
    if (!bad.empty()) broken("a sound record is taken for broken");
  }
  void freeze() {
    if (closing_) return;
    closing_ = true;
    ++v_.freezes;
    close();
  }
  void close() {
    const auto held = table_.close_step();
    if (!held) return;
    closed_ = true;
    if (!*held) now_frozen();
  }
  void now_frozen() {
    frozen_ = true;
    for (auto& [key, t] : truth_)
      if (t.holder) broken("frozen is closed: somebody holds a lock");
    for (const auto slot : table_.filled()) {
      if (table_.recall(slot).state != slot_state::free)
        return broken("frozen is closed: a slot is held");
      take(slot);
    }
  }
  void thaw() {
    frozen_ = closing_ = closed_ = false;
    table_.reopen();
  }
  client_thread* victim() {
    auto& c = *clients_[pick(static_cast<unsigned>(clients_.size()))];
    return c.cleared ? nullptr : &c;
  }
  void clear(client_thread& c, bool runs_on) {
    for (auto& [key, t] : truth_)
      if (t.holder == &c) t.holder = nullptr;
    for (const auto slot : table_.clear(c.client, runs_on)) {
      if (!table_.recalled(slot)) continue;
      if (table_.look(slot).state == slot_state::free) take(slot);
    }
    look_at_recalls();  // it may have died before it told that it had let go
    if (closed_ && !frozen_ && !table_.any_holder()) now_frozen();
  }
  void die() {
    auto* c = victim();
    if (!c) return;
    ++v_.deaths;
    auto gone =
        std::find_if(clients_.begin(), clients_.end(), [&](auto& x) { return x.get() == c; });
    auto dead = std::move(*gone);
    clients_.erase(gone);
    clear(*dead, false);
    graves_.push_back(std::move(dead));
    add_client();
  }
  /// Disconnected, and does not know it yet.
  void kick() {
    auto* c = victim();
    if (!c) return;
    ++v_.kicks;
    clear(*c, true);
    c->cleared = true;
    add_client();
  }
  void bury() {
    auto gone = std::find_if(clients_.begin(), clients_.end(), [&](auto& x) { return x->cleared; });
    if (gone == clients_.end()) return;
    table_.forgive((*gone)->client);
    graves_.push_back(std::move(*gone));
    clients_.erase(gone);
  }

  void check_waits() {
    if (closing_) return thaw_time();
    for (auto& c : clients_)
      if (c->now == client_thread::doing::locking && !c->cleared &&
          now_us_ - std::max(c->since_us, thawed_us_) > longest_wait_allowed_us)
        broken("nobody starves: a client has waited for " + std::to_string(now_us_ - c->since_us) +
               " us");
    for (const auto& [slot, since] : let_go_us_)
      if (now_us_ - since > recall_heard_within_us)
        broken("recalls are heard: a record that was let go is not taken");
  }
  void thaw_time() { thawed_us_ = now_us_; }

  std::mt19937_64 chance_;
  std::shared_ptr<table_memory> memory_;
  record_table table_;
  std::vector<std::unique_ptr<client_thread>> clients_, graves_;
  std::map<bytes, truth> truth_;
  std::map<std::uint32_t, std::uint64_t> let_go_us_;
  std::uint64_t now_us_ = 1'000'000, next_poll_us_ = 0, thawed_us_ = 0, last_value_ = 0;
  bool rung_ = false, closing_ = false, closed_ = false, frozen_ = false;
  step_verdict v_;
};

}  // namespace

step_verdict play_steps(std::uint64_t seed, std::uint64_t steps) { return world(seed).play(steps); }

}  // namespace floe
