#pragma once
/// Requests of this node for records that are on their way, by their numbers. A record that comes under a number that was never
/// used was not asked for, and is not taken.
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "actors/environment.hpp"
#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {

class record_requests {
 public:
  explicit record_requests(const node_environment& env) : env_(env) {}

  void sent(reqid, const bytes& key);
  void forget(reqid);
  /// Nothing: the request is not known (any more).
  const bytes* key_of(reqid) const;
  /// Whether a record may be the answer to a request of ours, however late: the sender has given it up then, and it must be
  /// stored. Numbers of requests count up and wrap; one that lies ahead was never used.
  bool was_asked(reqid, byte_view key) const;
  std::size_t size() const { return keys_.size(); }
  /// In the same order in every run.
  std::vector<bytes> keys() const;

 private:
  const node_environment& env_;
  std::unordered_map<std::uint32_t, bytes> keys_;
};

}  // namespace floe
