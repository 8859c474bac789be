/// What clients put in the place of the whole content, outside of a recovery (CTDB's tool and ours: wipedb, restoredb). The rules
/// are in protocol/rules/freeze.hpp: such a content is thawed by nobody but a recovery, which a tool's thaw asks for
/// (waiting_thaws.hpp).
#include "actors/database/database.hpp"
#include "actors/database/sequence_number.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// The node and its client.
std::pair<pnn, std::uint64_t> database::asker_of(const db_control& m) {
  return {m.from,
          m.client ? m.client->id : std::get<req_control>(m.packet->content.body).client_id};
}

/// A step that is no recovery's. A ctdbd that leads recovers by the word of a client of its node, when it has made all nodes ACTIVE;
/// that this one is says nothing of any other client, for it may not have heard yet that a recovery is over.
bool database::is_outside(const db_control& m) const {
  if (recovery_of(m)) return false;
  if (view_->mode == recovery_mode::normal) return true;
  if (mutated(mutant::tool_taken_for_leader) || mutated(mutant::push_into_anothers) ||
      mutated(mutant::replaced_without_a_member))
    return false;  // the last two are refused before they do harm else
  if (m.client) return true;
  const auto* sender = view_->find(m.from);
  const bool of_ctdbd = m.from != env_.self && sender && !sender->floe;
  return !of_ctdbd || (view_->leader != m.from && view_->leader != pnn::unknown);
}

/// Two tools that replace the content at once name the same generation, and a push names none: it would become part of a
/// recovery that has begun since. Each may go on only with what it has begun itself.
bool database::refuse_if_anothers(const db_control& m) const {
  if (freeze_.state != freeze_state::in_transaction || asker_of(m) == transaction_.of ||
      mutated(mutant::push_into_anothers))
    return false;
  m.answer.fail("another transaction has begun since");
  return true;
}

/// A persistent database is recovered from the copy with the highest sequence number. Whoever was not there when the content was
/// replaced has a higher number than a wiped one; and clients that cache look at nothing else.
void database::keep_number_rising(recovery_set& set) {
  if (config_.kind == db_kind::volatile_db) return;
  const auto before = store_->get(sequence_number_key);
  if (!before || !*before) return;
  const auto last = sequence_number_in((*before)->data);
  const auto* given = set.find(sequence_number_key);
  if (last == 0 || (given && sequence_number_in(given->data) > last)) return;
  auto header = (*before)->header;
  header.rsn = next(header.rsn);
  const auto kept = std::make_shared<const bytes>(wire::encode(last + 1));
  const record_view one{sequence_number_key, header, *kept};
  set.add(kept, std::span(&one, 1));
}

void database::tell_replaced(const db_control& m, std::uint64_t records) {
  const auto [node, client] = asker_of(m);
  note(event::content_replaced{
      .db = config_.name, .by = node, .client = client, .records = records, .generation = gen_});
}

}  // namespace floe
