#include "cli/decode/tcp_stream.hpp"

namespace floe::cli {
namespace {

/// More than any receive window: what is missing before it was lost by the capture, not by the
/// network.
constexpr std::size_t too_much = std::size_t{16} << 20;

}  // namespace

void tcp_stream::begin(std::uint32_t sequence) {
  if (started_ && static_cast<std::uint32_t>(next_) == sequence + 1) return;  // seen twice
  waiting_.clear();
  waiting_bytes_ = 0;
  started_ = true;
  next_ = std::int64_t{sequence} + 1;
  packets_.gap();
}

void tcp_stream::segment(std::uint32_t sequence, byte_view data) {
  if (data.empty()) return;
  if (!started_) {
    started_ = true;
    next_ = sequence;
  }
  const auto ahead = static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(next_));
  if (ahead > 0) {
    auto& later = waiting_[next_ + ahead];
    if (later.size() < data.size()) {
      waiting_bytes_ += data.size() - later.size();
      later = data;
    }
    if (waiting_bytes_ > too_much) skip_gap();
    return;
  }
  const auto old = static_cast<std::size_t>(-std::int64_t{ahead});
  if (old >= data.size()) return;
  packets_.feed(data.substr(old));
  next_ += static_cast<std::int64_t>(data.size() - old);
  take_waiting();
}

void tcp_stream::take_waiting() {
  while (!waiting_.empty() && waiting_.begin()->first <= next_) {
    const auto first = waiting_.extract(waiting_.begin());
    waiting_bytes_ -= first.mapped().size();
    const auto old = static_cast<std::size_t>(next_ - first.key());
    if (old >= first.mapped().size()) continue;
    packets_.feed(byte_view(first.mapped()).substr(old));
    next_ += static_cast<std::int64_t>(first.mapped().size() - old);
  }
}

void tcp_stream::skip_gap() {
  const auto next = waiting_.begin()->first;
  missing_ += static_cast<std::uint64_t>(next - next_);
  next_ = next;
  packets_.gap();
  take_waiting();
}

void tcp_stream::end() {
  while (!waiting_.empty()) skip_gap();
}

}  // namespace floe::cli
