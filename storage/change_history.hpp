#pragma once
/// Which keys of a database have changed since its nodes last had equal contents. Keys only: what a
/// record is now, or that it is gone, the store tells.
///
///     commit of G1          commit of G2          now
///         │  keys of the step   │  keys noted       │
///         └─────────────────────┴───────────────────┘
///
/// A recovery commits one content on all nodes, and names it by its generation: the *base*. From
/// then on every key that is stored or erased is noted, whatever the reason. What is in nobody's
/// notes is equal everywhere. The steps between earlier bases are kept as well, so that a node which
/// still is at one of them can be told what it has missed.
///
/// Notes may name too much, never too little: a change that was refused or rolled back stays noted.
/// Beyond the bounds they are given up until the next commit.
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/change_state.hpp"
#include "protocol/ids.hpp"
#include "storage/key_set.hpp"

namespace floe {

class change_history {
 public:
  struct bounds {
    std::size_t keys = 1'000'000;      ///< noted since the base
    std::size_t bytes = 32 << 20;      ///< of memory for these
    std::size_t step_bytes = 8 << 20;  ///< for all steps before the base
    std::size_t steps = 16;
  };
  change_history() = default;
  explicit change_history(const bounds& b) : bounds_(b) {}

  /// The whole content was just committed, equal on all nodes; nothing before it matters.
  void begin(generation base);
  /// What follows from the changes since the present base was committed, equal on all nodes. All that
  /// the commit has changed here was noted, too.
  void step(generation base);
  /// There is no content that others are known to have as well.
  void forget();

  void note(byte_view key) {
    if (state_ == change_state::complete) note_one(key);
  }

  change_state state() const { return state_; }
  generation base() const { return base_; }  ///< invalid in state `none`
  std::size_t keys() const { return noted_.size(); }
  std::size_t size_bytes() const;
  /// When the key changed last: 0 not that is known, 1 since the base, 2 in the step before it, and so on.
  std::uint32_t age_of(byte_view key) const;
  const key_set& noted() const { return noted_; }
  /// Whether all is known that has changed since this base.
  bool reaches(generation base) const;
  /// Whether the key may have changed since this base, which must be reached.
  bool changed_since(generation base, byte_view key) const;

  /// Earlier bases from which all is known, the latest first.
  std::vector<generation> earlier() const;
  /// Every key that may differ between that base and now; nothing if it is not known.
  std::optional<key_set> since(generation base) const;

 private:
  struct change_step {
    generation from{};
    key_set keys;
  };
  void note_one(byte_view key);

  bounds bounds_;
  change_state state_ = change_state::none;
  generation base_ = generation::invalid;
  key_set noted_;
  std::deque<change_step> steps_;  ///< the latest first
};

}  // namespace floe
