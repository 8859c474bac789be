/// Transactions of the public interface, over those of actors/client.
#include <stdexcept>
#include <utility>

#include "actors/async/held.hpp"

namespace floe::async {
namespace {

using inside::about;
using inside::core;
using inside::open_transaction;
using inside::patience_of;

open_transaction& there(const std::unique_ptr<open_transaction>& t) {
  if (!t) throw std::logic_error("this floe::async::transaction has ended");
  return *t;
}

/// Whether it can go on. Its cluster-wide lock may have been given to others since the connection ended.
template <class T>
bool goes_on(const open_transaction& t, const std::shared_ptr<core>& c, const done<T>& d) {
  if (!c) return false;
  if (t.life == c->life && c->is_connected()) return true;
  if (d)
    c->tell_later([d] {
      d(async::error{
          .code = errc::refused,
          .status = 0,
          .node = here,
          .text = "nothing is stored: the transaction ended with the connection that it began on"});
    });
  return false;
}

void begin_one(const std::shared_ptr<core>& c, std::uint32_t db, floe::transaction::mode m, limit t,
               done<transaction> d) {
  floe::transaction::start(c->wire, db_id{db}, m, patience_of(t),
                           c->answer<transaction, floe::transaction::ptr>(
                               std::move(d), about::records,
                               [weak = std::weak_ptr(c)](const floe::transaction::ptr& begun) {
                                 const auto still = weak.lock();
                                 return transaction(std::make_unique<open_transaction>(
                                     open_transaction{weak, still ? still->life : 0, begun}));
                               }));
  c->touch();
}

}  // namespace

void client::begin(std::uint32_t db, limit t, done<transaction> d) {
  begin_one(core_, db, floe::transaction::mode::read_write, t, std::move(d));
}
void client::begin_reading(std::uint32_t db, limit t, done<transaction> d) {
  begin_one(core_, db, floe::transaction::mode::read_only, t, std::move(d));
}

transaction::transaction(std::unique_ptr<open_transaction> t) : is_(std::move(t)) {}
transaction::transaction(transaction&&) noexcept = default;

transaction& transaction::operator=(transaction&& other) noexcept {
  transaction old(std::move(other));
  std::swap(is_, old.is_);
  return *this;
}

transaction::~transaction() {
  if (!is_) return;
  const auto c = is_->of.lock();
  is_->is = nullptr;  // cancels, unless something of it is still under way
  if (c) c->touch();
}

void transaction::fetch(std::string_view key, limit t, done<std::optional<std::string>> d) {
  auto& is = there(is_);
  inside::check_key(key);
  const auto c = is.of.lock();
  if (!goes_on(is, c, d)) return;
  is.is->fetch(key, patience_of(t),
               c->answer<std::optional<std::string>, std::optional<bytes>>(
                   std::move(d), about::records, [](const auto& data) { return data; }));
  c->touch();
}

void transaction::store(std::string_view key, std::string_view data, limit t, done<void> d) {
  auto& is = there(is_);
  inside::check_key(key);
  inside::check_data(data);
  const auto c = is.of.lock();
  if (!goes_on(is, c, d)) return;
  is.is->store(key, data, patience_of(t), c->answer(std::move(d), about::records));
  c->touch();
}
void transaction::erase(std::string_view key, limit t, done<void> d) {
  store(key, {}, t, std::move(d));
}

std::size_t transaction::changes() const { return there(is_).is->changes(); }

void transaction::commit(limit t, done<committed> d) {
  const transaction ends(std::move(*this));
  const auto& is = there(ends.is_);
  const auto c = is.of.lock();
  if (!goes_on(is, c, d)) return;
  is.is->commit(patience_of(t), c->answer<committed, commit_result>(
                                    std::move(d), about::anything, [](const commit_result& r) {
                                      return committed{.sequence_number = r.seqnum,
                                                       .sends = r.sends};
                                    }));
  c->touch();
}

void transaction::cancel(limit t, done<void> d) {
  const transaction ends(std::move(*this));
  const auto& is = there(ends.is_);
  const auto c = is.of.lock();
  if (!c) return;
  is.is->cancel(patience_of(t), c->answer(std::move(d)));
  c->touch();
}

}  // namespace floe::async
