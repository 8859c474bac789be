#include "actors/database/inherited_history.hpp"

#include <utility>

#include "actors/mark_record.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/db_past.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr auto step_patience = std::chrono::seconds(10);

/// These bugs are looked for without what covers them.
bool nothing_is_inherited() {
  return mutated(mutant::history_not_inherited) || mutated(mutant::past_forgotten) ||
         mutated(mutant::unknown_since_counts);
}

}  // namespace

void inherited_history::wanted() { wanted_ = !nothing_is_inherited(); }

void inherited_history::ask_if_wanted() {
  if (!std::exchange(wanted_, false)) return;
  to_ask_.clear();
  for (const pnn n : port_.view->members)
    if (const auto* p = port_.view->find(n); n != port_.env.self && p && p->floe)
      to_ask_.push_back(n);
  ask();
}

void inherited_history::ask() {
  if (to_ask_.empty()) return;
  port_.node.tell(
      call_control{.to = to_ask_.back(),
                   .opcode = control::db_step,
                   .data = wire::encode(db_step_request{
                       .db_id = port_.config.id, .content = port_.store->changes().oldest()}),
                   .patience = step_patience,
                   .answer = replier([to = port_.self, question = ++question_](control_answer a) {
                     to.tell(db_step_told{question, std::move(a)});
                   })});
}

void inherited_history::on(const db_step_told& m) {
  if (m.question != question_ || !port_.store) return;
  if (port_.use != store_use::here) {  // a recovery commits: asked again when that is over
    wanted_ = true;
    return;
  }
  if (!take(m.answer)) to_ask_.pop_back();
  if (is_birth(port_.store->changes().oldest())) to_ask_.clear();
  ask();
}

/// False: this node knows no more.
bool inherited_history::take(const control_answer& a) {
  if (a.status != 0) return false;
  const auto step = decode_reply<control::db_step>(a.data);
  if (!step) return false;
  take_past(step->past);
  const auto keys = wire::decode<rec_buffer>(step->keys);
  if (!keys) return false;
  std::vector<std::pair<byte_view, record_mark>> marks;
  marks.reserve(keys->count());
  for (const rec_data& r : *keys) {
    const auto mark = mark_in(r.as_record());
    if (!mark) return false;
    marks.emplace_back(r.key, *mark);
  }
  if (port_.store->changes().reach_back(step->from, marks)) return true;
  to_ask_.assign(1, to_ask_.back());  // there is no room for more, whoever knows it
  return false;
}

/// Of the content that is here as well.
void inherited_history::take_past(byte_view told) {
  const auto past = wire::decode<db_past>(told);
  if (!past || past->from.empty() || past->from.size() > past_limit) return;
  if (past->from.front() == port_.gen) past_ = {.written = past->written, .from = past->from};
}

}  // namespace floe
