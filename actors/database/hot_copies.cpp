/// Records in the record table that are only read from: read-only copies of this node, records of ours that others have
/// copies of, and those of ours that a client looks at without a lock: smbd asks for a file's byte-range locks with each
/// open and close, and nearly always there are none. What the store has is what is shown: whoever writes the store takes the
/// record out first, and so does the queue as soon as somebody waits in it who does not only read. Databases that are written
/// by transactions are shown likewise, record by record, and all of it is taken out when a commit begins.
#include <algorithm>

#include "actors/database/hot_records.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/read_only.hpp"

namespace floe {

void hot_records::show(const bytes& key, const lock_waiter& w, const record& r, bool found) {
  if (!open_ || !rules_.on) return;
  if (w.use != record_use::read && w.use != record_use::look) return;
  if (!port_.thawed() || !port_.is_of_map()) return;
  auto& h = *open_;
  if (!h.users.contains(w.client.id) || h.table->closed() || h.table->find(key)) return;
  const bool read = w.use == record_use::read, ours = r.header.dmaster == port_.env.self;
  const bool copy =
      read && (port_.config.kind != db_kind::volatile_db || is_read_only_copy(r.header) ||
               copies_are_out(port_.env.self, r.header));
  if (read && !copy && ours && found && !r.data.empty()) return put_to_read(key, r);
  if (!copy && (read || !ours)) return;
  const auto try_it = [&] {
    return h.table->show(key, number(r.header.rsn), r.header.flags, r.data);
  };
  auto at = try_it();
  if (!at && copy && make_room(key, at.error())) at = try_it();
  if (!at) return;
  answer();
  tick_later();
}

/// Whether a record is in the table to be read from only. It is taken out if somebody waits for more than that.
bool hot_records::is_only_shown(const bytes& key, const lock_table::entry& e, std::uint32_t slot) {
  if (!open_->table->is_shown(slot)) return false;
  const bool reads = std::ranges::all_of(e.waiters, [&](const lock_waiter& w) {
    return w.use == record_use::read || w.use == record_use::look || copies_.is_wanted(w, e);
  });
  if (!reads) show_no_more(key);
  return true;
}

void hot_records::show_no_more(byte_view key) {
  if (!open_) return;
  if (const auto slot = open_->table->find(key); slot && open_->table->is_shown(*slot))
    open_->table->drop(*slot);
}

}  // namespace floe
