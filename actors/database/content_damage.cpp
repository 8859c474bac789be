#include "actors/database/content_damage.hpp"

#include <utility>

#include "actors/database/storage_trouble.hpp"

namespace floe {

void content_damage::read(const std::string& found) {
  if (const auto known = port_.store->get_meta(damage_name); known && *known) now_ = **known;
  if (found.empty()) return;
  now_ = found;
  keep();
}

void content_damage::declare(std::string damage) {
  if (port_.freeze.state == freeze_state::in_transaction) {
    declared_ = std::move(damage);
    return;
  }
  if (damage == now_) return;
  now_ = std::move(damage);
  keep();
  port_.node.tell(database_health{port_.config.id, now_});
}

void content_damage::keep() {
  if (auto done = port_.store->set_meta(damage_name, now_); !done)
    port_.trouble.failed("note damage", done.error());
  if (auto done = port_.store->flush(); !done) port_.trouble.failed("note damage", done.error());
}

void content_damage::transaction_begins() {
  declared_.reset();
  given_ = false;
}

std::string content_damage::after_commit() const {
  if (declared_) return *declared_;
  return given_ ? now_ : std::string();
}

void content_damage::committed(std::string damage) {
  if (now_ == damage) return;
  now_ = std::move(damage);
  port_.node.tell(database_health{port_.config.id, now_});
}

}  // namespace floe
