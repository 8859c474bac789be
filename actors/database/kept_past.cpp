#include "actors/database/kept_past.hpp"

#include <algorithm>
#include <ranges>

#include "actors/database/sequence_number.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/db_past.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

std::uint64_t sequence_number_in(std::span<const change> changes, std::uint64_t before) {
  auto newest_first = std::views::reverse(changes);
  const auto found = std::ranges::find(newest_first, sequence_number_key, &change::key);
  return found == newest_first.end() ? before : sequence_number_in(found->data);
}

content_past read_past(store& s) {
  const auto found = s.get_meta(past_name);
  if (!found || !*found) return {};
  auto kept = wire::decode<db_past>(**found);
  if (!kept || kept->number != sequence_number_of(s)) return {};
  return {.written = kept->written, .from = std::move(kept->from)};
}

bytes past_bytes(const content_past& p, std::uint64_t number) {
  return wire::encode(db_past{.number = number, .written = p.written, .from = p.from});
}

std::optional<content_past> told_past(std::string_view told) {
  auto past = past_in(told);
  if (!past || past->from.size() > past_limit) return std::nullopt;
  return content_past{.written = past->written, .from = std::move(past->from)};
}

past_to_keep past_after(store& s, const recovery_set& set, const commit_of_content& c) {
  // what cannot be read is taken for another content
  const bool changed = c.wiped ? !set.same_as(s).value_or(false) : set.size() > 0;
  const auto& past = c.told ? *c.told : c.before;
  // who tells what is committed tells when it was written, too; when that was that nobody knows may have been at any time
  const bool written = past.written == generation::invalid || (changed && !c.told);
  const auto* number = set.find(sequence_number_key);
  const auto left = c.wiped ? 0 : sequence_number_of(s);
  // what others have put here without telling when it was written is taken for written now
  const bool stays = !c.leaves || (changed && !c.told);
  past_to_keep p{.past = stays ? gone_on(past, c.gen, written) : left_with(past, c.gen),
                 .in_file = {},
                 .changed = changed};
  p.in_file = past_bytes(p.past, number ? sequence_number_in(number->data) : left);
  return p;
}

content_past past_of_volatile(content_past before, const volatile_commit& c) {
  if (c.of_others && !c.replaced) before = {};
  return gone_on(std::move(before), c.gen, c.replaced);
}

void keep_past(store& s, byte_view in_file) {
  const change one = change::set_meta(past_name, in_file);
  (void)s.apply(std::span(&one, 1), durability::committed);
}

}  // namespace floe
