/// What a freeze does with a database's record table: nobody gets a lock in it, those who hold one are waited for, and what
/// is in it goes into the store before that is read or replaced.
#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/database/hot_records.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {

bool database::anybody_holds() const {
  if (mutated(mutant::freeze_ignores_record_table)) return locks_.holders() > 0;
  return locks_.holders() > 0 || (hot_records_ && hot_records_->table->any_holder());
}

/// No lock succeeds from now on; says whether somebody holds one, here or in the table.
bool database::close_table() {
  if (mutated(mutant::freeze_ignores_record_table)) return locks_.holders() > 0;
  const bool in_table = hot_records_ && hot_records_->table->close();
  if (in_table) look_at_recalls_later();
  return in_table || locks_.holders() > 0;
}

/// Frozen: nobody holds anything, and everything is in the store before it is read or replaced. What a full disk
/// refuses stays in the table, and is pulled from there.
void database::empty_table() {
  if (!mutated(mutant::freeze_ignores_record_table)) recall_all();
}

/// For a pull: what could not be taken into the store is the newest there is of those records all the same.
std::vector<record> database::left_in_table() {
  std::vector<record> all;
  if (!hot_records_) return all;
  for (const auto slot : hot_records_->table->filled())
    if (auto r = hot_records_->table->peek(slot)) {
      auto header = own_header(r->key);
      header.rsn = rsn{r->rsn};
      header.flags = r->flags;
      all.emplace_back(bytes(r->key), header, bytes(r->data));
    }
  std::ranges::sort(all, {}, [](const record& r) { return ordered_key(r.key); });
  return all;
}

/// The content has been replaced: what could not be taken into the store before is of before.
void database::drop_table_content() {
  if (!hot_records_) return;
  for (const auto slot : hot_records_->table->filled()) {
    hot_records_->table->drop(slot);
    hot_records_->stays.erase(slot);
  }
}

void database::recall_all() {
  if (!hot_records_) return;
  std::vector<bytes> keys;
  for (const auto slot : hot_records_->table->filled())
    keys.push_back(hot_records_->table->key_of(slot));
  for (const bytes& key : keys)
    if (out_of_table(key)) advance(key);
}

void database::reopen_table() {
  if (!hot_records_ || !hot_records_->table->closed() || !map_applies(gen_, view_->gen)) return;
  hot_records_->table->reopen();
}

/// A new map is set, and this database not recovered yet: what is ours may be so in a content that does not count.
void database::close_table_of_before() {
  if (!hot_records_ || map_applies(gen_, view_->gen) ||
      mutated(mutant::freeze_ignores_record_table))
    return;
  hot_records_->table->close();
  answer_for_table();
}

/// The node ends: nothing is locked or stored here any more, though clients may go on for a while before they see it.
void database::end_table() {
  if (!hot_records_) return;
  hot_records_->table->close();
  hot_records_->table->answer_for_until(0);
}

void database::close_table_for_good() {
  if (hot_records_) hot_records_->table->close();
}

}  // namespace floe
