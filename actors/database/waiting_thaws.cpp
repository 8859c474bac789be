#include "actors/database/waiting_thaws.hpp"

#include <utility>

namespace floe {
namespace {

constexpr duration patience = std::chrono::seconds(5);

}  // namespace

void waiting_thaws::add(const replier& answer) {
  const auto id = ++last_;
  all_.emplace(id, answer);
  port_.env.loop.after(patience, [to = port_.self, id] { to.tell(db_thaw_late{id}); });
  port_.node.tell(want_recovery{"the content of " + port_.config.name + " was replaced"});
}

void waiting_thaws::on(const db_thaw_late& m) {
  if (const auto late = all_.extract(m.thaw)) late.mapped().good();
}

void waiting_thaws::answer() {
  if (!port_.thawed() || port_.view->mode != recovery_mode::normal) return;
  for (auto& [id, answer] : std::exchange(all_, {})) answer.good();
}

}  // namespace floe
