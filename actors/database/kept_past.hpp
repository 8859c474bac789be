#pragma once
/// The past of a content (protocol/rules/content_past.hpp). That of a persistent or replicated one as it stands in the file, beside the records:
/// written in the commit of the records that it belongs to. It has the sequence number of that content with it: where the number
/// here is another, a release has written the content that knows nothing of this, and the past is not its own.
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/bytes.hpp"
#include "protocol/rules/content_past.hpp"
#include "storage/recovery_set.hpp"

namespace floe {

/// Of the metadatum.
inline constexpr byte_view past_name = "past";

/// Of the records that a transaction or a recovery stores; where it is not among them, `before`.
std::uint64_t sequence_number_in(std::span<const change>, std::uint64_t before);

content_past read_past(store&);
/// In the file, and in the answer to GET_DB_SEQNUM.
bytes past_bytes(const content_past&, std::uint64_t number);

struct past_to_keep {
  content_past past{};
  bytes in_file{};
  bool changed = false;  ///< the content is another one from this commit on: they go into one
};
/// What a recovery commits.
struct commit_of_content {
  bool wiped = false;  ///< in the place of what is here
  generation gen = generation::invalid;
  content_past before{};               ///< of what is here
  std::optional<content_past> told{};  ///< by the leader, of what is committed
  bool leaves = false;                 ///< this node, which is in the map no more
};
past_to_keep past_after(store&, const recovery_set&, const commit_of_content&);
/// What the leader tells; nothing: it cannot be read.
std::optional<content_past> told_past(std::string_view);
/// A volatile content outlives no process, so its past is in memory. `written` says when it was last replaced by an operator;
/// with nothing known to be.
struct volatile_commit {
  generation gen = generation::invalid;
  bool replaced = false;   ///< by an operator
  bool of_others = false;  ///< what this node had does not count, and is gone
};
content_past past_of_volatile(content_past before, const volatile_commit&);

/// Where the content stays as it is. Without room the file has the past as it was before, which is true, too.
void keep_past(store&, byte_view in_file);

}  // namespace floe
