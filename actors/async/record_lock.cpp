#include <stdexcept>
#include <utility>

#include "actors/async/held.hpp"

namespace floe::async {
namespace {

using inside::about;
using inside::core;
using inside::held_lock;
using inside::patience_of;

constexpr duration unlock_patience = std::chrono::seconds(10);

held_lock& there(const std::unique_ptr<held_lock>& l) {
  if (!l || l->id == 0) throw std::logic_error("this floe::async::record_lock is not held");
  return *l;
}

void give_back(core& c, std::uint64_t id) {
  unlock_record(c.wire, id, unlock_patience, [](const floe::result<void>&) {});
  c.touch();
}

/// Nothing can be done through it any more.
void tell_lost(const std::shared_ptr<core>& c, done<void> d) {
  if (!c || !d) return;
  c->tell_later([d = std::move(d)] {
    d(async::error{.code = errc::no_lock,
                   .status = 0,
                   .node = here,
                   .text = "the lock ended with the connection that it was granted on"});
  });
}

void write(held_lock& l, std::string_view data, after_write then, limit t, done<void> d) {
  inside::check_data(data);
  const auto c = l.of.lock();
  const auto id = then == after_write::unlock ? std::exchange(l.id, 0) : l.id;
  if (!c || l.life != c->life || !c->is_connected()) return tell_lost(c, std::move(d));
  auto tell = c->answer(std::move(d), about::records);
  auto finish = [weak = l.of, id, then, life = l.life,
                 tell = std::move(tell)](const floe::result<void>& r) {
    const auto still = weak.lock();
    // what could not be stored has not been unlocked either
    if (still && !r && then == after_write::unlock && still->life == life && still->is_connected())
      give_back(*still, id);
    tell(r);
  };
  if (data.empty())
    delete_record(c->wire, id, then, patience_of(t), std::move(finish));
  else
    store_record(c->wire, id, data, then, patience_of(t), std::move(finish));
  c->touch();
}

}  // namespace

record_lock::record_lock(std::unique_ptr<held_lock> l) : is_(std::move(l)) {}
record_lock::record_lock(record_lock&&) noexcept = default;

record_lock& record_lock::operator=(record_lock&& other) noexcept {
  // what was held here goes with `old`
  record_lock old(std::move(other));
  std::swap(is_, old.is_);
  return *this;
}

record_lock::~record_lock() {
  if (!is_) return;
  if (const auto c = is_->of.lock(); is_->good(c)) give_back(*c, is_->id);
}

bool record_lock::held() const noexcept { return is_ && is_->good(is_->of.lock()); }
std::string_view record_lock::data() const { return there(is_).data; }
record_header record_lock::header() const { return there(is_).header; }

void record_lock::store(std::string_view data, limit t, done<void> d) {
  write(there(is_), data, after_write::keep_lock, t, std::move(d));
}
void record_lock::erase(limit t, done<void> d) { store({}, t, std::move(d)); }

void record_lock::store_and_unlock(std::string_view data, limit t, done<void> d) {
  write(there(is_), data, after_write::unlock, t, std::move(d));
}
void record_lock::erase_and_unlock(limit t, done<void> d) { store_and_unlock({}, t, std::move(d)); }

void record_lock::unlock(limit t, done<void> d) {
  auto& l = there(is_);
  const auto c = l.of.lock();
  const bool good = l.good(c);
  const auto id = std::exchange(l.id, 0);
  if (!good) return tell_lost(c, std::move(d));
  unlock_record(c->wire, id, patience_of(t), c->answer(std::move(d), about::records));
  c->touch();
}

}  // namespace floe::async
