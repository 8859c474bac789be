/// CAF under our actors: identity, life cycle and scheduling. A scheduler of our own runs every CAF actor on the event
/// loop's thread, which takes no wake-up of another thread between a socket and an actor, and makes a simulation run
/// the very code of production in a fixed order.
///
/// The actors are CAF actors of a kind of their own (`loop_actor`), whose mailbox is a plain queue: on one thread nothing
/// else is needed, and the mailbox of CAF's event-based actors (without locks, by priority, matched by type) takes two
/// thousand instructions a message, which was a third of all that a node did for a record that moves.
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <thread>
#include <unordered_map>

#include "actors/runtime/actor.hpp"
#include "actors/runtime/turn_watch.hpp"

namespace floe {
namespace {

/// Messages an actor may take before the next one has its turn.
constexpr std::size_t throughput = 50;

/// Runs resumables as jobs of the event loop.
class loop_coordinator final : public caf::scheduler::abstract_coordinator {
 public:
  loop_coordinator(caf::actor_system& sys, event_loop& loop)
      : abstract_coordinator(sys), loop_(loop), unit_(*this) {}

  void start() override {}  // no printer actor: our logs do not go through CAF
  void stop() override { loop_.settle(); }
  bool detaches_utility_actors() const override { return false; }
  void enqueue(caf::resumable* what) override { loop_.enqueue({&run, this, what}); }
  caf::actor_clock& clock() noexcept override { return clock_; }

 private:
  struct unit final : caf::execution_unit {
    explicit unit(loop_coordinator& p) : execution_unit(&p.system()), parent(p) {}
    void exec_later(caf::resumable* what) override { parent.enqueue(what); }
    loop_coordinator& parent;
  };

  static void run(void* context, void* what) {
    auto& self = *static_cast<loop_coordinator*>(context);
    auto* resumable = static_cast<caf::resumable*>(what);
    switch (resumable->resume(&self.unit_, throughput)) {
      case caf::resumable::resume_later: self.enqueue(resumable); break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message: caf::intrusive_ptr_release(resumable); break;
      case caf::resumable::shutdown_execution_unit: break;
    }
  }

  event_loop& loop_;
  caf::detail::test_actor_clock clock_;  // CAF's own timers are not used
  unit unit_;
};

struct loop_config : caf::actor_system_config {
  explicit loop_config(event_loop& loop) {
    module_factories.push_back([&loop](caf::actor_system& sys) -> caf::actor_system::module* {
      return new loop_coordinator(sys, loop);
    });
  }
};

[[noreturn]] void broken_actor(const char* name, const char* why) {
  std::fprintf(stderr, "floe: actor %s broke: %s\n", name, why);
  std::abort();
}

template <class Turn>
void take_turn(const char* name, Turn&& turn) {
  try {
    turn_watch::here().run(name, turn);
  } catch (const std::exception& x) {
    broken_actor(name, x.what());
  } catch (...) {
    broken_actor(name, "unknown exception");
  }
}

/// Runs one actor's logic, message by message. It lives as long as somebody has its handle, or it waits for its turn.
class loop_actor final : public caf::local_actor,
                         public caf::dynamically_typed_actor_base,
                         public caf::non_blocking_actor_base,
                         public caf::resumable {
 public:
  using behavior_type = caf::behavior;

  loop_actor(caf::actor_config& c, std::shared_ptr<actor_base> logic, const char* name)
      : local_actor(c), logic_(std::move(logic)), name_(name) {}

  void put(std::shared_ptr<void> message) {
    if (!logic_) return;
    waiting_.push_back(std::move(message));
    take_turn_later();
  }
  /// When what waits now has been taken: nothing more.
  void end_later() { put(nullptr); }

  const char* name() const override { return name_; }
  /// It starts in its first turn on the loop.
  void launch(caf::execution_unit*, bool, bool hide) override {
    if (!hide) register_at_system();
    take_turn_later();
  }
  /// Nobody sends it CAF's own messages.
  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override {}

  subtype_t subtype() const override { return resumable::scheduled_actor; }
  void intrusive_ptr_add_ref_impl() override { caf::intrusive_ptr_add_ref(ctrl()); }
  void intrusive_ptr_release_impl() override { caf::intrusive_ptr_release(ctrl()); }
  resume_result resume(caf::execution_unit* on, std::size_t most) override {
    take_messages(most);
    planned_ = !waiting_.empty();
    if (planned_) return resume_later;
    if (logic_) return awaiting_message;
    if (!getf(is_cleaned_up_flag)) cleanup(caf::exit_reason::normal, on);
    return done;
  }

 private:
  void take_turn_later() {
    if (std::exchange(planned_, true)) return;
    intrusive_ptr_add_ref_impl();
    system().scheduler().enqueue(this);
  }
  void take_messages(std::size_t most) {
    if (!logic_) return;
    if (!std::exchange(started_, true)) take_turn(name_, [this] { logic_->start(); });
    for (std::size_t n = 0; n < most && !logic_->ended() && !waiting_.empty(); ++n) {
      const auto message = std::move(waiting_.front());
      waiting_.pop_front();
      if (!message) return finish();
      take_turn(name_, [&] { logic_->receive_any(message.get()); });
    }
    if (logic_->ended()) finish();
  }
  void finish() {
    logic_ = nullptr;
    waiting_.clear();
  }

  std::shared_ptr<actor_base> logic_;
  const char* name_;
  bool started_ = false, planned_ = false;
  std::deque<std::shared_ptr<void>> waiting_;
};

class loop_mailbox final : public mailbox, public std::enable_shared_from_this<loop_mailbox> {
 public:
  explicit loop_mailbox(event_loop& loop) : loop_(loop), home_(std::this_thread::get_id()) {}

  void open(caf::actor a) {
    actor_ = std::move(a);
    logic_ = static_cast<loop_actor*>(caf::actor_cast<caf::abstract_actor*>(actor_));
  }
  void put(std::shared_ptr<void> message) override {
    if (std::this_thread::get_id() != home_)
      return loop_.post([self = shared_from_this(), m = std::move(message)]() mutable {
        self->put(std::move(m));
      });
    if (logic_) logic_->put(std::move(message));
  }
  void end_later() {
    if (logic_) logic_->end_later();
  }
  /// The runtime is gone; whoever still holds the address talks to nobody.
  void disconnect() {
    logic_ = nullptr;
    actor_ = nullptr;
  }

 private:
  event_loop& loop_;
  std::thread::id home_;
  caf::actor actor_;
  loop_actor* logic_ = nullptr;  ///< in it
};

}  // namespace

struct actor_runtime::impl {
  explicit impl(event_loop& loop) : config(loop), system(config) {}
  loop_config config;
  caf::actor_system system;
  std::unordered_map<std::uint64_t, std::weak_ptr<loop_mailbox>> boxes;
  std::uint64_t last = 0;
};

actor_runtime::actor_runtime(event_loop& loop) : loop_(loop), impl_(std::make_unique<impl>(loop)) {}

actor_runtime::~actor_runtime() {
  for (auto& [id, weak] : impl_->boxes)
    if (auto box = weak.lock()) box->end_later();
  loop_.settle();
  for (auto& [id, weak] : impl_->boxes)
    if (auto box = weak.lock()) box->disconnect();
}

std::shared_ptr<mailbox> actor_runtime::spawn_any(std::shared_ptr<actor_base> logic,
                                                  const char* name) {
  auto box = std::make_shared<loop_mailbox>(loop_);
  logic->adopt(box);
  box->open(impl_->system.spawn<loop_actor>(std::move(logic), name));
  std::erase_if(impl_->boxes, [](const auto& entry) { return entry.second.expired(); });
  impl_->boxes.emplace(++impl_->last, box);
  return box;
}

std::size_t actor_runtime::living() const { return impl_->system.registry().running(); }

}  // namespace floe
