/// CAF under our actors: mailboxes, life cycle and scheduling. A scheduler of our own runs every CAF actor on the
/// event loop's thread, which takes no wake-up of another thread between a socket and an actor, and makes a
/// simulation run the very code of production in a fixed order.
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "actors/runtime/actor.hpp"
#include "actors/runtime/turn_watch.hpp"

namespace floe {
/// The one CAF message: content of a type that sender and receiver agree on through `address<Message>`.
struct letter {
  std::shared_ptr<void> content;
};
}  // namespace floe

CAF_BEGIN_TYPE_ID_BLOCK(floe, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(floe, (floe::letter))
CAF_END_TYPE_ID_BLOCK(floe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(floe::letter)

namespace floe {
namespace {

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
  /// Messages an actor may take before the next one has its turn.
  static constexpr std::size_t throughput = 50;

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

class caf_mailbox final : public mailbox {
 public:
  explicit caf_mailbox(caf::actor a) : actor_(std::move(a)) {}
  void put(std::shared_ptr<void> message) override {
    if (actor_) caf::anon_send(actor_, letter{std::move(message)});
  }
  /// The runtime is gone; whoever still holds the address talks to nobody.
  void disconnect() { actor_ = nullptr; }
  const caf::actor& handle() const { return actor_; }

 private:
  caf::actor actor_;
};

[[noreturn]] void broken_actor(const char* name, const char* why) {
  std::fprintf(stderr, "floe: actor %s broke: %s\n", name, why);
  std::abort();
}

caf::behavior shell(caf::event_based_actor* self, const std::shared_ptr<actor_base>& logic,
                    const char* name) {
  self->set_default_handler(caf::drop);
  self->set_exception_handler([name](std::exception_ptr& e) -> caf::error {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      broken_actor(name, x.what());
    } catch (...) {
      broken_actor(name, "unknown exception");
    }
  });
  turn_watch::here().run(name, [&] { logic->start(); });
  if (logic->ended()) {
    self->quit();
    return {};
  }
  return {[self, logic, name](const letter& l) {
    turn_watch::here().run(name, [&] { logic->receive_any(l.content.get()); });
    if (logic->ended()) self->quit();
  }};
}

}  // namespace

struct actor_runtime::impl {
  explicit impl(event_loop& loop) : config(loop), system(config) {}
  loop_config config;
  caf::actor_system system;
  std::unordered_map<std::uint64_t, std::weak_ptr<caf_mailbox>> boxes;
  std::uint64_t last = 0;
};

actor_runtime::actor_runtime(event_loop& loop) : loop_(loop), impl_(std::make_unique<impl>(loop)) {}

actor_runtime::~actor_runtime() {
  for (auto& [id, weak] : impl_->boxes)
    if (auto box = weak.lock()) caf::anon_send_exit(box->handle(), caf::exit_reason::kill);
  loop_.settle();
  for (auto& [id, weak] : impl_->boxes)
    if (auto box = weak.lock()) box->disconnect();
}

std::shared_ptr<mailbox> actor_runtime::spawn_any(std::shared_ptr<actor_base> logic,
                                                  const char* name) {
  // adopt() must come before start(), and start() runs in the actor's first turn on the loop
  auto handle = impl_->system.spawn([logic, name](caf::event_based_actor* self) -> caf::behavior {
    return shell(self, logic, name);
  });
  auto box = std::make_shared<caf_mailbox>(std::move(handle));
  logic->adopt(box);
  std::erase_if(impl_->boxes, [](const auto& entry) { return entry.second.expired(); });
  impl_->boxes.emplace(++impl_->last, box);
  return box;
}

std::size_t actor_runtime::living() const { return impl_->system.registry().running(); }

}  // namespace floe
