/// What a recovery asks this node's copy of a database for: all records, the keys that have changed, or the records that
/// it names. How they are sent: content_sender.hpp.
#include "actors/database/database.hpp"
#include "actors/database/kept_past.hpp"
#include "actors/mark_record.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/winner.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void database::pull(db_control& m) {
  const auto& p = m.request<control::db_pull>();
  freeze_step s;
  if (!transition(freeze_event::pull{}, m.answer, &s)) return;
  if (s.nothing_to_pull) return m.answer.good(wire::encode(std::uint32_t{0}));
  // a full disk keeps nothing from being given away: what could not be committed is read from the open group
  if (auto done = store_->flush(); !done) storage_.failed("commit", done.error());
  damage_.content_is_given();
  sender_.send_all({m.from, p.srvid, m.answer}, table_.left());
}

void database::send_changes(db_control& m) {
  const auto& p = m.request<control::db_changes>();
  if (!in_recovery(p.tid, m.answer)) return;
  const content_sender::receiver to{m.from, p.srvid, m.answer};
  if (commits_what_was_filled() && p.since == filling_.base())
    return sender_.send(to, filling_.changed(), {});
  auto keys = store_->changes().since(p.since);
  if (!keys) return m.answer.fail("the changes since that generation are not known");
  if (mutated(mutant::copies_outlive_recoveries)) keys = copies_.without(*keys);
  const auto flags = std::get<req_control>(m.packet->content.body).flags;
  const bool marked = flags & changes_with_marks;
  sender_.send(to, std::move(*keys), table_.left(),
               {.oldest_mark = marked ? store_->changes().oldest_age_since(p.since) : 0,
                .tell_newer = (flags & changes_tell_newer) != 0,
                .tell_written = (flags & changes_tell_written) != 0});
}

void database::send_copies(db_control& m) {
  const auto& p = m.request<control::db_copies>();
  if (!in_recovery(p.tid, m.answer)) return;
  const auto asked = wire::decode<rec_buffer>(p.keys);
  if (!asked) return m.answer.fail("bad keys: " + asked.error().text());
  key_set keys;
  for (const rec_data& r : *asked) keys.insert(r.key);
  sender_.send({m.from, p.srvid, m.answer}, std::move(keys), table_.left());
}

void database::tell_step(db_control& m) {
  const auto& asked = m.request<control::db_step>();
  rec_buffer_builder keys(config_.id);
  const auto from = store_->changes().visit_step_to(
      asked.content, [&](byte_view key, const record_mark& mark) { add_mark(keys, key, mark, 0); });
  if (from == generation::invalid) return m.answer.fail("not known");
  const bytes list = keys.take(), past = past_bytes(past_, 0);
  m.answer.good(wire::encode(db_change_step{.from = from, .keys = list, .past = past}));
}

}  // namespace floe
