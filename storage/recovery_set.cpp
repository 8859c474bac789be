#include "storage/recovery_set.hpp"

#include <algorithm>
#include <cassert>
#include <ranges>
#include <set>

namespace floe {

void recovery_set::add(const record_view& record) {
  records_.push_back(record);
  size_bytes_ += record.key.size() + record.data.size();
}

void recovery_set::add(frame buffer, std::span<const record_view> records) {
  keep(std::move(buffer));
  for (const auto& record : records) add(record);
}

const record_view* recovery_set::find(byte_view key) const {
  auto newest_first = std::views::reverse(records_);
  auto found = std::ranges::find(newest_first, key, &record_view::key);
  return found == newest_first.end() ? nullptr : &*found;
}

void recovery_set::add_missing(std::vector<record> records) {
  if (records.empty()) return;
  assert(owned_.empty());
  owned_ = std::move(records);
  std::set<byte_view> missing;
  for (const auto& r : owned_) missing.insert(r.key);
  for (const auto& r : records_) missing.erase(r.key);
  for (const auto key : erased_) missing.erase(key);
  for (const auto& r : owned_)
    if (missing.contains(r.key)) add(r);
}

std::expected<bool, store_error> recovery_set::same_as(store& other) const {
  const auto held = other.count();
  if (!held) return std::unexpected(held.error());
  if (*held != records_.size() || !erased_.empty()) return false;
  for (const auto& r : records_) {
    bool same = false;
    const auto found = other.visit(r.key, [&](const record_view& here) {
      same = here.header.rsn == r.header.rsn && here.data == r.data;
    });
    if (!found) return std::unexpected(found.error());
    if (!same) return false;
  }
  return true;
}

std::expected<replace_result, store_error> recovery_set::replace_content(
    store& to, std::span<const change> meta) const {
  std::vector<std::uint32_t> order = sorted_order(records_, to.options().hash);
  span_source source(records_, order, size_bytes_);
  return to.replace(source, meta);
}

std::expected<void, store_error> recovery_set::apply_difference(
    store& to, std::span<const change> meta) const {
  if (records_.empty() && erased_.empty() && meta.empty()) return to.flush();
  std::vector<change> changes;
  changes.reserve(records_.size() + erased_.size() + meta.size());
  for (const auto& r : records_) changes.push_back(change::put(r));
  for (const auto key : erased_) changes.push_back(change::erase(key));
  changes.insert(changes.end(), meta.begin(), meta.end());
  if (auto applied = to.bulk_apply(changes); !applied) return applied;
  for (const auto key : written_) to.changes().written(key);
  return {};
}

std::expected<void, store_error> recovery_set::store_into(store& to) const {
  return to.bulk_store(records_);
}

}  // namespace floe
