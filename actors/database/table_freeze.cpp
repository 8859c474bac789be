/// What a freeze does with a database's record table: nobody gets a lock in it, those who hold one are waited for, and what
/// is in it goes into the store before that is read or replaced.
#include <algorithm>

#include "actors/database/hot_records.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {

bool hot_records::any_holder() const {
  if (mutated(mutant::freeze_ignores_record_table)) return false;
  return open_ && open_->table->any_holder();
}

bool hot_records::close() {
  if (mutated(mutant::freeze_ignores_record_table)) return false;
  const bool held = open_ && open_->table->close();
  if (held) look_later();
  return held;
}

void hot_records::empty() {
  if (mutated(mutant::freeze_ignores_record_table)) return;
  recall_all();
  if (has_records()) port_.store->note_unstored(left());
}

std::vector<record> hot_records::left() const {
  std::vector<record> all;
  if (!open_) return all;
  for (const auto slot : open_->table->filled())
    if (auto r = open_->table->peek(slot)) {
      auto header = records_.own_header(r->key);
      if (number(header.rsn) > r->rsn) continue;  // a recovery has brought a newer one
      header.rsn = rsn{r->rsn};
      header.flags = r->flags;
      all.emplace_back(bytes(r->key), header, bytes(r->data));
    }
  std::ranges::sort(all, {}, [](const record& r) { return ordered_key(r.key); });
  return all;
}

void hot_records::drop_content() {
  if (!open_) return;
  for (const auto slot : open_->table->filled()) {
    open_->table->drop(slot);
    open_->stays.erase(slot);
  }
}

void hot_records::recall_all() {
  if (!open_) return;
  std::vector<bytes> keys;
  for (const auto slot : open_->table->filled()) keys.push_back(open_->table->key_of(slot));
  for (const bytes& key : keys)
    if (take_out(key)) records_.advance(key);
}

void hot_records::reopen() {
  if (!open_ || !open_->table->closed() || !port_.is_of_map()) return;
  open_->table->reopen();
}

void hot_records::close_that_of_before() {
  if (!open_ || port_.is_of_map() || mutated(mutant::freeze_ignores_record_table)) return;
  open_->table->close();
  answer();
}

void hot_records::close_for_good() {
  if (!open_) return;
  open_->table->close();
  open_->table->answer_for_until(0);
}

}  // namespace floe
