#include "actors/lock/sim_cluster_lock.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace floe {

using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {
constexpr const char* stranger = "a stranger";
constexpr const char* nobody_any_more = "a holder that is gone";
constexpr duration given_up = std::chrono::seconds(6);  ///< on a helper that does not end
}  // namespace

class sim_claim final : public lock_claim {
 public:
  sim_claim(sim_lock_store& s, std::string n, lock_events e)
      : store(s), node(std::move(n)), events(std::move(e)) {
    store.claims_.insert(this);
  }
  ~sim_claim() override {
    drop(nullptr);
    store.claims_.erase(this);
  }
  void release(std::function<void()> done) override { drop(std::move(done)); }
  bool expired() const override { return outlived; }

  void drop(std::function<void()> done) {
    events = {};
    store.loop_.cancel(std::exchange(timer, timer_id{0}));
    store.loop_.cancel(std::exchange(deadline, timer_id{0}));
    if (!std::exchange(held, false)) {
      if (done) store.loop_.post(std::move(done));
      return;
    }
    // the helper takes a moment to end, or a wedged one does not
    store.loop_.after(store.moment(),
                      [&s = store, n = node, number = number, done = std::move(done)] {
                        if (s.wedged_.contains(n)) {
                          if (done) s.loop_.after(given_up, done);
                          return;
                        }
                        // another claim may hold the lock by now, also one of the same node
                        if (s.holding_ == number) s.let_go();
                        if (done) done();
                      });
  }
  void tell(lock_answer a) {
    store.loop_.cancel(std::exchange(timer, timer_id{0}));
    store.loop_.cancel(std::exchange(deadline, timer_id{0}));
    if (auto f = std::exchange(events.answered, nullptr)) f(std::move(a));
  }
  void lose(const std::string& why) {
    if (!std::exchange(held, false)) return;
    if (auto f = std::exchange(events.lost, nullptr)) f(why);
  }

  sim_lock_store& store;
  std::string node;
  lock_events events;
  bool held = false;
  bool outlived = false;
  std::uint64_t number = 0;  ///< of the claim, once it was granted
  timer_id timer{0}, deadline{0};
};

class sim_locks final : public cluster_locks {
 public:
  sim_locks(sim_lock_store& s, std::string node) : store_(s), node_(std::move(node)) {}
  std::unique_ptr<lock_claim> claim(const std::string&, duration limit, lock_events e) override {
    ++store_.tries_;
    auto c = std::make_unique<sim_claim>(store_, node_, std::move(e));
    c->timer =
        store_.loop_.after(store_.moment(), [&s = store_, raw = c.get()] { s.answer(*raw); });
    c->deadline = store_.loop_.after(limit, [raw = c.get()] {
      raw->tell({lock_outcome::failed, "no answer in time"});
    });
    return c;
  }

 private:
  sim_lock_store& store_;
  std::string node_;
};

std::unique_ptr<cluster_locks> sim_lock_store::attach(const std::string& node) {
  return std::make_unique<sim_locks>(*this, node);
}

/// As long as starting a process takes.
duration sim_lock_store::moment() {
  return milliseconds(2) + microseconds(loop_.chance()() % 10'000);
}

void sim_lock_store::answer(sim_claim& c) {
  if (wedged_.contains(c.node)) return;
  if (failing_.contains(c.node)) return c.tell({lock_outcome::failed, "no such lock store"});
  if (!holder_.empty()) return c.tell({lock_outcome::contended, {}});
  holder_ = c.node;
  holding_ = c.number = ++granted_;
  c.held = true;
  c.tell({lock_outcome::taken, {}});
}

void sim_lock_store::lose() {
  const auto which = holding_;
  free();
  for (auto* c : claims_)
    if (c->held && c->number == which) return c->lose("the lock was lost");
}

void sim_lock_store::make_stale() { free(); }

void sim_lock_store::free() {
  holder_.clear();
  holding_ = 0;
}

void sim_lock_store::tell_robbed() {
  const std::vector<sim_claim*> now(claims_.begin(), claims_.end());
  for (auto* c : now)
    if (claims_.contains(c) && c->held && c->number != holding_)
      c->lose("the lock is somebody else's");
}

/// Of the holder's lock, by the holder.
void sim_lock_store::let_go() {
  free();
  if (stale_ == duration{0}) return;
  holder_ = nobody_any_more;
  loop_.after(stale_, [this, round = ++stale_round_] {
    if (round == stale_round_ && holder_ == nobody_any_more) holder_.clear();
  });
}

void sim_lock_store::set_stale(duration d) {
  stale_ = d;
  if (d == duration{0} && holder_ == nobody_any_more) holder_.clear();
}

void sim_lock_store::hold_by_stranger(bool on) {
  if (!on && holder_ != stranger) return;
  free();
  if (on) holder_ = stranger;
}

void sim_lock_store::wedge(const std::string& node, bool on) {
  if (on) {
    wedged_.insert(node);
    return;
  }
  wedged_.erase(node);
  const bool held = std::ranges::any_of(
      claims_, [&](const sim_claim* c) { return c->held && c->number == holding_; });
  if (!held && holder_ == node) free();  // what it could not let go of
}

void sim_lock_store::fail(const std::string& node, bool on) {
  on ? (void)failing_.insert(node) : (void)failing_.erase(node);
}

void sim_lock_store::expire(const std::string& node) {
  for (auto* c : claims_)
    if (c->node == node && c->held) c->outlived = true;
  if (holder_ == node) let_go();
}

}  // namespace floe
