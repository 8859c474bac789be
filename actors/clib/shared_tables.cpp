#include "actors/clib/shared_tables.hpp"

#include <bit>

namespace floe::clib {

std::uint32_t lock_numbers::take() {
  const auto first = hint_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < words; ++i) {
    const auto at = (first + i) % words;
    auto seen = taken_[at].load(std::memory_order_relaxed);
    while (seen != ~std::uint64_t{0}) {
      const auto bit = static_cast<std::uint32_t>(std::countr_one(seen));
      if (!taken_[at].compare_exchange_weak(seen, seen | std::uint64_t{1} << bit,
                                            std::memory_order_acquire))
        continue;
      if (at != first) hint_.store(at, std::memory_order_relaxed);
      return at * 64 + bit;
    }
  }
  return 0;
}

void lock_numbers::give_back(std::uint32_t n) {
  if (n != 0) taken_[n / 64].fetch_and(~(std::uint64_t{1} << n % 64), std::memory_order_release);
}

shared_tables::entry shared_tables::of(db_id db) const {
  const std::lock_guard guard(m_);
  if (closed_) return {known::none, nullptr};
  const auto i = all_.find(db);
  return i == all_.end() ? entry{} : i->second;
}

void shared_tables::keep(db_id db, std::shared_ptr<shared_table> t) {
  const std::lock_guard guard(m_);
  if (closed_) return;
  const auto is = t ? known::here : known::none;
  all_[db] = {is, std::move(t)};
}

void shared_tables::forget(db_id db) {
  const std::lock_guard guard(m_);
  all_.erase(db);
}

std::vector<db_id> shared_tables::close() {
  const std::lock_guard guard(m_);
  closed_ = true;
  std::vector<db_id> had;
  for (auto& [db, e] : all_)
    if (e.table) {
      e.table->user.disconnect();
      had.push_back(db);
    }
  all_.clear();
  return had;
}

}  // namespace floe::clib
