#pragma once
/// The merge of a recovery by difference. All members have had one content, the base, and each tells
/// the keys that it has changed since, with its copies of them. A key that somebody has not changed
/// has the base's copy there; one of those is asked for it. So every copy of every changed key is
/// known, and it is decided as in a merge of whole contents (merge.hpp): which copy wins, and which
/// nodes lack it. Keys that nobody tells are equal everywhere and are not looked at.
///
/// Records are views into the buffers they came in, which are kept.
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "protocol/rules/winner.hpp"
#include "storage/function_ref.hpp"
#include "storage/key.hpp"

namespace floe {

class difference_merge {
 public:
  /// `behind`: nodes at an earlier base. Their copies do not count; they tell, or are told by others,
  /// which keys they may lack.
  difference_merge(std::vector<pnn> members, std::vector<pnn> behind, pnn asked_first)
      : members_(std::move(members)), behind_(std::move(behind)), asked_first_(asked_first) {}

  /// Keeps a buffer for the records that view into it.
  void keep(frame buffer) { buffers_.push_back(std::move(buffer)); }
  /// A member's copy of a key that it has changed; nothing: it has none any more.
  void changed(pnn member, byte_view key, const std::optional<record_view>& has);
  /// The copy of a member that has not changed the key: the base's.
  void unchanged(pnn member, byte_view key, const std::optional<record_view>& has);
  /// A key that a node behind may lack, or has changed by itself.
  void suspect(byte_view key) { entry_of(key); }

  /// What is to be asked, of whom: for each key that some members have not changed the copy of one of
  /// these.
  std::map<pnn, std::vector<byte_view>> missing() const;
  std::size_t keys() const { return entries_.size(); }

  struct decision {
    byte_view key;
    std::optional<record_view> winner{};  ///< nothing: the record is gone
    std::vector<pnn> lack{};              ///< members and nodes behind that have something else
  };
  /// In key order. False: a copy that was asked for has not come.
  bool decide(function_ref<void(const decision&)> visitor) const;
  bool contains(byte_view key) const { return index_.contains(key); }

 private:
  struct copy {
    pnn from{0};
    bool there = false;
    record_view record{};
  };
  struct entry {
    byte_view key;
    std::vector<copy> changed;
    std::optional<copy> base;
  };
  entry& entry_of(byte_view key);
  std::vector<pnn> without(const entry&) const;
  decision decide(const entry&) const;

  std::vector<pnn> members_, behind_;
  pnn asked_first_{0};
  std::vector<frame> buffers_;
  std::vector<entry> entries_;
  std::unordered_map<byte_view, std::size_t> index_;
};

}  // namespace floe
