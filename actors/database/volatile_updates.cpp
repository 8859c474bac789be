/// UPDATE_RECORD of volatile databases, with which another node, or a tool, writes records that this node has.
#include <utility>

#include "actors/database/database.hpp"
#include "protocol/rules/read_only.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {
namespace {

constexpr std::int32_t update_is_outdated = 1;  ///< as ctdbd's child says it

}  // namespace

/// UPDATE_RECORD of a volatile database: its sender owns these records and wants to write them, or it writes records of this
/// node. That waits until nobody else uses them.
void database::update_volatile(db_control& m, unsigned tries) {
  bool free = true;
  for (const rec_data& raw : m.request<control::update_record>()) {
    const auto r = raw.as_record();
    if (!r) return m.answer.fail("a record without header");
    switch (decide_called_back(env_.self, header_of(r->key), r->header).outcome) {
      case call_back_outcome::refuse:
        return m.answer.fail("this node owns the record, or is said to and does not");
      case call_back_outcome::outdated:
        return m.answer.status(update_is_outdated, "a record here is newer");
      case call_back_outcome::write: free &= is_free_to_write(bytes(r->key)); break;
      case call_back_outcome::end_copy:
      case call_back_outcome::none: break;
    }
  }
  if (!free) return update_later(m, tries);
  for (const rec_data& raw : m.request<control::update_record>()) {
    const auto r = raw.as_record();
    const auto d = decide_called_back(env_.self, header_of(r->key), r->header);
    const bool stored =
        d.outcome == call_back_outcome::end_copy ? put(r->key, d.header, local(r->key).data)
        : d.outcome == call_back_outcome::write  ? store_as_daemon(r->key, d.header, r->data)
                                                 : true;
    if (!stored) return m.answer.fail("cannot store: " + storage_.last_refusal());
    // a copy that is on its way here by a connection that has broken would not be called back
    auto* e = locks_.find(r->key);
    if (e && e->migration && e->migration->copy) ask_for(bytes(r->key), *e, e->migration->to, true);
  }
  m.answer.good();
}

/// Of a record of ours: no client has it, here or in the record table, and there are no copies of it.
bool database::is_free_to_write(const bytes& key) {
  if (!table_.take_out(key) || is_wanted(key)) return false;
  const auto here = header_of(key);
  if (!here || !copies_are_out(env_.self, *here)) return true;
  copies_.call_back(key);
  return false;
}

void database::update_later(db_control& m, unsigned tries) {
  constexpr auto pause = std::chrono::milliseconds(5);
  if (pause * tries > config_.update_patience)
    return m.answer.fail("a client has had the record all the time");
  env_.loop.after(
      pause, [this, to = self(), tries, again = std::make_shared<db_control>(std::move(m))] {
        // which runs only while this lives
        to.tell(db_next_slice{[this, again, tries] { update_record(*again, tries + 1); }});
      });
}

}  // namespace floe
