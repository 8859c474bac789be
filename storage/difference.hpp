#pragma once
/// The merge of a recovery by difference. All members have had one content, the base, and each tells
/// the keys that it has changed since, with its copies of them. A key that somebody has not changed
/// has the base's copy there; one of those is asked for it, unless who has changed it says that its copy
/// beats that one (protocol/rules/winner.hpp). So every copy that may win is known, and it is decided as in a merge of whole contents (merge.hpp): which copy wins, and which
/// nodes lack it. Keys that nobody tells are equal everywhere and are not looked at.
///
/// A node that has missed generations tells what it has changed since it parted from the members. Its
/// copy competes by rsn if the members have not touched the key since their first commit without it,
/// nor dropped the record with that. If it has recovered by itself it belongs to a part that went on: then it matters who has
/// written the record since they parted, and what it was there (protocol/rules/parts.hpp).
///
/// Records are views into the buffers they came in, which are kept.
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "protocol/rules/parts.hpp"
#include "protocol/rules/winner.hpp"
#include "protocol/types/rec_data.hpp"
#include "storage/change_history.hpp"
#include "storage/function_ref.hpp"
#include "storage/key.hpp"
#include "storage/key_index.hpp"
#include "storage/short_lists.hpp"

namespace floe {

/// Who comes back, with an earlier base.
struct returning_node {
  pnn node{0};
  /// The content with which its part has gone on; invalid: it has not recovered since it parted from the members.
  generation part = generation::invalid;
  /// It has no content in common with them: it gets everything, and of what it had they are told what they have never had. With
  /// a part: they had one, and theirs was replaced since; of what the part has written they are told what they do not have.
  bool stranger = false;
  /// It was filled before it joins: it has, of an earlier content, what has not changed since, and nothing of its own (rule R9).
  bool filled = false;
  /// Its part has gone on from the base: the members have not recovered without it before, and part from it now.
  bool from_base = false;
  /// The contents that `part` came from, the latest first, as far as the node knows: where two parts parted from each other.
  std::vector<generation> earlier{};

  /// How old a change of this node may be (change_history::age_of) to be one since that content. Of one that it does not know: any.
  std::uint32_t oldest_since(generation content) const;
};

/// What a member tells of a key that it has changed, beside its copy.
struct change_told {
  bool newer = false;    ///< the copy beats what all had before
  bool written = false;  ///< the member has written it, whatever it has now
};

class difference_merge {
 public:
  /// `behind`: nodes at an earlier base, which lack what the members have changed since. Their own
  /// copies count where no member has touched the key since they parted.
  /// `all_here`: no member of the last generation is away, so empty records need not be kept.
  difference_merge(std::vector<pnn> members, std::vector<returning_node> behind, pnn asked_first,
                   bool all_here)
      : members_(std::move(members)),
        behind_(std::move(behind)),
        asked_first_(asked_first),
        all_here_(all_here) {}

  /// Keeps a buffer for the records that view into it.
  void keep(frame buffer) { buffers_.push_back(std::move(buffer)); }
  /// A member's copy of a key that it has changed; nothing: it has none any more.
  void changed(pnn member, byte_view key, const std::optional<record_view>& has,
               const change_told& how = {});
  /// The copy of a member that has not changed the key: the base's.
  void unchanged(pnn member, byte_view key, const std::optional<record_view>& has);
  /// Since when members have touched the key. Bit i: since behind[i] parted.
  void touched(byte_view key, const key_touches& by);
  /// The copy of a node behind, of a key that it has changed since it parted.
  void returned(pnn node, byte_view key, const std::optional<record_view>& has);

  /// What the record was among the members before a change of that age.
  struct members_mark {
    std::uint64_t parted_before = 0;  ///< bit i: behind[i] had parted by then
    std::uint32_t age = 0;
    record_mark mark;
  };
  void was(byte_view key, const members_mark&);
  /// And with a node behind, before a change that came after the first recovery of its own.
  void returner_was(pnn node, byte_view key, std::uint32_t age, const record_mark&);

  /// A member that could not note what it has changed, whole, and one that could: every key of which they
  /// have different copies was changed by the first, or told by the second. All other copies must be known.
  struct whole_content {
    pnn member{0};
    std::vector<rec_buffer> buffers{};  ///< in key order, views into what is kept
  };
  void compare_whole(const std::vector<whole_content>& overflowed, const whole_content& reference);

  /// What is to be asked, of whom: for each key that some members have not changed the copy of one of
  /// these, unless it is known to be beaten.
  std::map<pnn, std::vector<byte_view>> missing() const;
  std::size_t keys() const { return index_.size(); }

  struct decision {
    byte_view key;
    std::optional<record_view> winner{};  ///< nothing: the record is gone
    std::vector<pnn> lack{};              ///< members and nodes behind that have something else
    bool kept = false;                    ///< it is the copy of a node that came back
    bool lost = false;                    ///< such a copy would be, had nobody touched the record
    bool written = false;                 ///< a member has, since the base
  };
  /// In key order. False: a copy that was asked for has not come.
  bool decide(function_ref<void(const decision&)> visitor) const;
  bool contains(byte_view key) const { return index_.find(key).has_value(); }

 private:
  struct copy {
    pnn from{0};
    bool there = false;
    record_view record{};
    bool noted = true;   ///< false: it may be the base's, its holder does not know
    bool newer = false;  ///< it beats the base's
    bool written = false;
  };
  struct returner_mark {
    pnn from{0};
    std::uint32_t age = 0;
    record_mark mark;
  };
  struct entry {
    short_list changed;          ///< in copies_
    std::uint32_t base = 0;      ///< in bases_, plus one
    short_list returned;         ///< in copies_
    short_list marks;            ///< in marks_
    short_list returners_marks;  ///< in returners_marks_
    bool beats_base = false;     ///< a changed copy does
    key_touches touched;
  };
  struct standing {
    std::optional<changed_claim> best;
    record_view winner;
    record_mark mark() const { return best ? mark_of(winner.header, winner.data) : record_mark{}; }
  };
  entry& entry_of(byte_view key);
  entry* known(byte_view key);
  auto changed_of(const entry& e) const { return copies_.in(e.changed); }
  auto returned_of(const entry& e) const { return copies_.in(e.returned); }
  const copy* base_of(const entry& e) const { return e.base == 0 ? nullptr : &bases_[e.base - 1]; }
  bool all_noted(const entry&) const;
  bool is_open(const entry&) const;
  bool has_changed(const entry&, pnn member) const;
  void set_base(entry&, const copy&);
  std::vector<pnn> without(const entry&) const;
  decision decide(byte_view key, const entry&) const;
  standing best_of_members(const entry&) const;
  bool may_count(const entry&, const copy& returned, const standing& of_members) const;
  bool have_never_had(const entry&, const standing& of_members) const;
  void let_strangers_bring(const entry&, const standing& of_members, standing&, decision&) const;
  std::optional<part_history> history_of_members(const entry&, std::size_t returner,
                                                 const standing& now) const;
  bool has_written_what_is_unknown(const entry&, std::size_t returner, const standing& of_members,
                                   const part_history& own) const;
  /// A part as far as it has told of the record.
  struct of_part {
    generation content{};
    std::size_t node = 0;  ///< in behind_, of the first that tells
    standing now;
  };
  std::vector<of_part> parts_of(const entry&) const;
  /// Since it parted from the members, or since that content.
  part_history history_of_part(const entry&, const of_part&,
                               generation since = generation::invalid) const;
  generation last_in_common(const of_part&, const of_part&) const;
  bool is_ahead(const entry&, const of_part&, const of_part& other) const;
  void let_parts_compete(byte_view key, const entry&, standing&, decision&) const;
  void let_returners_compete(const entry&, const standing& of_members, standing&, decision&) const;
  std::vector<pnn> who_lacks(const entry&, const std::optional<record_view>& winner) const;

  std::vector<pnn> members_;
  std::vector<returning_node> behind_;
  pnn asked_first_{0};
  bool all_here_;
  std::vector<frame> buffers_;
  key_index index_;  ///< of entries_
  std::vector<entry> entries_;
  short_lists<copy> copies_;
  std::vector<copy> bases_;
  short_lists<members_mark> marks_;
  short_lists<returner_mark> returners_marks_;
};

}  // namespace floe
