#include "storage/merge.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "storage/copy_pool.hpp"

namespace floe {

record_merge::record_merge(better_copy better, long_key_hash hash)
    : better_(std::move(better)), hash_(hash) {}
record_merge::record_merge(record_merge&&) noexcept = default;
record_merge& record_merge::operator=(record_merge&&) noexcept = default;
record_merge::~record_merge() = default;

// ---- what comes in

void record_merge::add_stream(pnn from, stream_order order) {
  assert(std::ranges::find(streams_, from, &stream::from) == streams_.end());
  streams_.push_back({.from = from, .order = order});
}

record_merge::stream& record_merge::stream_of(pnn from) {
  auto found = std::ranges::find(streams_, from, &stream::from);
  assert(found != streams_.end());
  return *found;
}

/// Each key once, and all behind `after`.
bool record_merge::ascending(const std::optional<bytes>& after,
                             const std::vector<record_view>& records) const {
  std::optional<ordered_key> before;
  if (after) before.emplace(*after, hash_);
  for (const auto& r : records) {
    ordered_key key(r.key, hash_);
    if (before && !(*before < key)) return false;
    before = key;
  }
  return true;
}

std::expected<void, store_error> record_merge::feed(pnn from, frame owner,
                                                    std::vector<record_view> records) {
  stream& s = stream_of(from);
  assert(!s.ended);
  if (records.empty()) return {};
  bool ascends = s.ascends && ascending(s.last_key, records);
  if (!ascends && s.order == stream_order::ascending)
    return std::unexpected(own_error(store_errc::unsorted, "records of a node do not ascend"));
  s.ascends = ascends;
  s.last_key.emplace(records.back().key);
  s.buffers.push_back({std::move(owner), std::move(records)});
  if (s.order == stream_order::ascending) find_head(s);
  return {};
}

void record_merge::end_stream(pnn from) {
  stream& s = stream_of(from);
  s.ended = true;
  bool all_known = std::ranges::all_of(
      streams_, [](const stream& x) { return x.ended || x.order == stream_order::ascending; });
  if (all_known && !pool_) fill_pool();
}

/// From here on every stream ascends: what did not has its records in the pool and nothing left.
void record_merge::fill_pool() {
  pool_ = std::make_unique<copy_pool>();
  for (stream& s : streams_) {
    if (s.ascends) {
      find_head(s);
      continue;
    }
    for (buffer& b : s.buffers) {
      for (const auto& r : b.records) pool_->add({r, s.from}, better_);
      pooled_.push_back(std::move(b.owner));
    }
    s.buffers.clear();
  }
  pool_->sort(hash_);
}

// ---- what comes out

void record_merge::find_head(stream& s) {
  if (s.has_head || s.buffers.empty()) return;
  s.at = 0;
  s.has_head = true;
  s.head_key = ordered_key(s.head().key, hash_);
}

void record_merge::step(stream& s) {
  if (++s.at < s.buffers.front().records.size()) {
    s.head_key = ordered_key(s.head().key, hash_);
    return;
  }
  used_up_.push_back(std::move(s.buffers.front()));
  s.buffers.pop_front();
  s.has_head = false;
  find_head(s);
}

/// False if a stream is silent or there are no more.
bool record_merge::next_winner() {
  used_up_.clear();
  const ordered_key* least = nullptr;
  for (const stream& s : streams_) {
    if (s.silent()) return false;
    if (s.has_head && (least == nullptr || s.head_key < *least)) least = &s.head_key;
  }
  if (pool_ && !pool_->empty() && (least == nullptr || pool_->head_key() < *least))
    least = &pool_->head_key();
  if (least == nullptr) return false;

  ordered_key key = *least;
  has_winner_ = false;
  auto offer = [&](const record_copy& copy) {
    if (!has_winner_ || better_(copy, winner_)) winner_ = copy;
    has_winner_ = true;
  };
  for (stream& s : streams_)
    if (s.has_head && s.head_key == key) {
      offer({s.head(), s.from});
      step(s);
    }
  if (pool_ && !pool_->empty() && pool_->head_key() == key) {
    offer(pool_->head());
    pool_->pop();
  }
  return true;
}

void record_merge::run(function_ref<bool(const record_copy&)> visitor) {
  while (has_winner_ || next_winner()) {
    if (!visitor(winner_)) return;
    has_winner_ = false;
  }
}

bool record_merge::finished() const {
  auto done = [](const stream& s) { return s.ended && !s.has_head; };
  return !has_winner_ && std::ranges::all_of(streams_, done) && (!pool_ || pool_->empty());
}

std::vector<pnn> record_merge::waiting_for() const {
  std::vector<pnn> silent;
  for (const stream& s : streams_)
    if (s.silent()) silent.push_back(s.from);
  return silent;
}

}  // namespace floe
