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
/// Beyond the bounds they are given up until the next commit. Of many steps two that follow each other become one, so that
/// what is known reaches as far back as before, and only less exactly: the first base is never forgotten, the latest ones stay, and of
/// those in between the ones at which others left, and then always the same on all nodes. So parts that have gone on without each other for
/// however many recoveries still know one that they had in common.
///
/// Beside each key stands what the record was at the base, before it changed for the first time: parts of a cluster that
/// have gone on without each other tell by that who has written it (protocol/rules/parts.hpp). Whether its data have ever been
/// other ones since stands there, too: what was written and deleted looks like what nobody has touched.
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/change_state.hpp"
#include "protocol/ids.hpp"
#include "protocol/rules/parts.hpp"
#include "storage/function_ref.hpp"
#include "storage/key_set.hpp"

namespace floe {

/// Of a record's data.
std::uint32_t data_sum(byte_view data);
inline record_mark mark_of(const record_header& h, byte_view data) {
  return {h.rsn, data_sum(data)};
}

class change_history {
 public:
  struct bounds {
    std::size_t keys = 1'000'000;      ///< noted since the base
    std::size_t bytes = 48 << 20;      ///< of memory for these
    std::size_t step_bytes = 8 << 20;  ///< for all steps before the base
    std::size_t steps = 64;            ///< before the base
  };
  change_history() = default;
  explicit change_history(const bounds& b) : bounds_(b) {}

  /// The whole content was just committed, equal on all nodes; nothing before it matters.
  void begin(generation base);
  /// What follows from the changes since the present base was committed, equal on all nodes. All that
  /// the commit has changed here was noted, too. `parted`: some who had the present base are not among these nodes, so that it is
  /// what they have in common with them.
  void step(generation base, bool parted = false);
  /// There is no content that others are known to have as well.
  void forget();

  /// What it is now is asked for if it has not changed since the base; the sum of the data that it gets, until these have
  /// been other ones than at the base.
  void note(byte_view key, function_ref<record_mark()> now, function_ref<std::uint32_t()> sum) {
    if (state_ == change_state::complete) note_one(key, now, sum);
  }
  void note(byte_view key) {
    note(
        key, [] { return record_mark{}; }, [] { return std::uint32_t{0}; });
  }
  /// A noted key whose record has been written, though its data may be the same again.
  void written(byte_view key);

  change_state state() const { return state_; }
  generation base() const { return base_; }  ///< invalid in state `none`
  std::size_t keys() const { return noted_.size(); }
  std::size_t size_bytes() const;
  /// When the key changed last: 0 not that is known, 1 since the base, 2 in the step before it, and so on.
  std::uint32_t age_of(byte_view key) const;
  /// The age of what changed first after that base, if anything did. A base that is known.
  std::uint32_t oldest_age_since(generation base) const;
  const key_set& noted() const { return noted_; }
  /// Whether all is known that has changed since this base.
  bool reaches(generation base) const;
  /// Whether the key may have changed since this base, which must be reached.
  bool changed_since(generation base, byte_view key) const;
  /// What the record was at a base since which it has changed.
  struct earlier_mark {
    std::uint32_t age = 0;  ///< of that change, as of age_of
    record_mark mark;
  };
  /// The latest first.
  std::vector<earlier_mark> marks_of(byte_view key) const;

  /// Earlier bases from which all is known, the latest first.
  std::vector<generation> earlier() const;
  /// The oldest of them, or the present base.
  generation oldest() const { return steps_.empty() ? base_ : steps_.back().from; }
  /// Shows the keys that were changed on the way to this base, and what they were before. Returns the base before it, which is
  /// invalid if that is not known.
  generation visit_step_to(generation base,
                           function_ref<void(byte_view key, const record_mark&)>) const;
  /// The step to oldest(), as another node tells it that had the same content then. Of a key its first mark counts. False:
  /// there is no room for it, or nothing is known that it could be put behind.
  bool reach_back(generation from, const std::vector<std::pair<byte_view, record_mark>>& keys);
  /// The latest change of a key.
  struct latest_change {
    std::uint32_t age = 0;  ///< as of age_of
    record_mark before{};
  };
  /// Every key that may differ between that base and now, with its latest change beside it; nothing if it is not known.
  std::optional<key_set> since(generation base) const;
  static latest_change latest_in(byte_view tag);

 private:
  static constexpr std::size_t written_at = 12, mark_size = 13;  ///< rsn, sum, whether written
  struct change_step {
    generation from{};
    key_set keys;
    bool parted = false;

    unsigned worth() const;
    void take_in(const change_step& later);
  };
  std::size_t of_least_worth() const;
  void note_one(byte_view key, function_ref<record_mark()> now, function_ref<std::uint32_t()> sum);
  bool keep_bounds();
  static void set_written(char* tag);
  static void put_mark(char* tag, const record_mark&);
  static record_mark mark_in(byte_view tag);
  static void take_latest(key_set& all, const key_set& step, std::uint32_t age);

  bounds bounds_;
  change_state state_ = change_state::none;
  generation base_ = generation::invalid;
  key_set noted_{mark_size};       ///< a key's tag is its mark
  std::deque<change_step> steps_;  ///< the latest first
};

}  // namespace floe
