#pragma once
/// What one client holds of its node at this moment: packets of it that somebody keeps (requests without an answer, what
/// waits in a queue), record locks. Each thing that is kept carries a share, which goes when the thing goes, so nobody
/// has to count. Shares of a client are made and end on the loop's thread.
#include <cstddef>
#include <memory>
#include <utility>

namespace floe {

struct client_usage {
  /// Samba has a few dozen requests under way, and some hundred locks; these are limits against programs gone wrong.
  static constexpr std::size_t most_requests = 100'000;
  static constexpr std::size_t most_bytes =
      std::size_t{128} << 20;  ///< of its requests and locked keys; one more fits in any case
  static constexpr std::size_t most_locks = 100'000;

  std::size_t requests = 0, bytes = 0, locks = 0;
  std::size_t refused = 0;  ///< requests, by one of these limits
  bool was_large = false;   ///< so that its memory is worth giving back when it has gone
  bool full() const { return requests >= most_requests || bytes >= most_bytes; }
};
using client_usage_ptr = std::shared_ptr<client_usage>;

/// Counts one of its client's as long as it lives; an empty one counts nothing.
class usage_share {
 public:
  static usage_share request(client_usage_ptr of, std::size_t size) {
    return {std::move(of), &client_usage::requests, size};
  }
  static usage_share lock(client_usage_ptr of, std::size_t key_size) {
    return {std::move(of), &client_usage::locks, key_size};
  }
  usage_share() = default;
  usage_share(usage_share&& o) noexcept
      : of_(std::exchange(o.of_, nullptr)), what_(o.what_), bytes_(o.bytes_) {}
  usage_share& operator=(usage_share&& o) noexcept {
    std::swap(of_, o.of_);
    std::swap(what_, o.what_);
    std::swap(bytes_, o.bytes_);
    return *this;
  }
  ~usage_share() {
    if (!of_) return;
    --((*of_).*what_);
    of_->bytes -= bytes_;
  }

 private:
  usage_share(client_usage_ptr of, std::size_t client_usage::*what, std::size_t size)
      : of_(std::move(of)), what_(what), bytes_(size) {
    if (!of_) return;
    ++((*of_).*what_);
    of_->bytes += bytes_;
    of_->was_large |= of_->bytes > large_bytes || of_->requests > large_requests;
  }
  static constexpr std::size_t large_bytes = 16 << 20, large_requests = 10'000;
  client_usage_ptr of_;
  std::size_t client_usage::*what_ = &client_usage::requests;
  std::size_t bytes_ = 0;
};

}  // namespace floe
