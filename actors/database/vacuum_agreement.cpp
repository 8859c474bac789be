/// Before a deleted record is forgotten everybody else must agree: asking them, and being asked. When: vacuuming.cpp.
#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/database/vacuuming.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Among floe nodes, in the place of the database's number beside a record of TRY_DELETE_RECORDS: older copies become empty,
/// none is dropped yet.
constexpr std::uint32_t only_empty_it = 1;
constexpr unsigned most_refusals = 3;  ///< then it waits for a full run

}  // namespace

/// TRY_DELETE_RECORDS of another node, which is carried out in slices.
struct vacuuming::deletion_request {
  deletion_request(db_control m, db_id database) : request(std::move(m)), kept(database) {}
  db_control request;
  rec_buffer_builder kept;  ///< what cannot be deleted here
  std::size_t done = 0;     ///< so many of its records have been looked at
};

/// First nobody has an old copy any more, then the empty ones go: if a node is lost in between, or was not reached by
/// all, no copy can come back.
void vacuuming::offer() {
  const auto others = who_must_agree();
  if (!others) return end();  // a member is away: a recovery will come, or the member
  std::vector<pnn> floe;
  std::ranges::copy_if(*others, std::back_inserter(floe),
                       [this](pnn n) { return port_.view->find(n)->floe; });
  if (mutated(mutant::old_copies_dropped_at_once)) floe.clear();
  ask_others(vacuum_stage::replacing, std::exchange(work_.to_offer, {}), floe);
}

std::optional<std::vector<pnn>> vacuuming::who_must_agree() const {
  std::vector<vacuum_peer> nodes;
  for (std::uint32_t n = 0; n < port_.view->nodes.size(); ++n) {
    const auto flags = port_.view->nodes[n].flags;
    if (!(flags & node_flag::deleted))
      nodes.push_back({.node = pnn{n},
                       .connected = records_.reachable(pnn{n}),
                       .active = !(flags & node_flag::inactive)});
  }
  return floe::who_must_agree(port_.env.self, nodes, port_.view->members);
}

void vacuuming::ask_others(vacuum_stage stage, std::vector<offered_deletion> what,
                           std::span<const pnn> others) {
  auto& v = work_;
  rec_buffer_builder offered(port_.config.id);
  for (const auto& o : what) {
    bytes header;
    append_header(header, o.header);
    offered.add_plain(o.what.key, header,
                      stage == vacuum_stage::replacing ? only_empty_it : number(port_.config.id));
  }
  work_.stage = stage;
  v.offered.begin(std::move(what), others);
  const bytes data = offered.take();
  for (pnn n : others)
    port_.node.tell(call_control{
        .to = n,
        .opcode = control::try_delete_records,
        .data = data,
        .patience = port_.config.update_patience,
        .answer = replier([to = port_.self, batch = v.offered.number(), n](control_answer a) {
          to.tell(db_vacuum_answer{batch, n, std::move(a)});
        })});
  if (v.offered.complete()) all_answered();
}

void vacuuming::on(const db_vacuum_answer& m) {
  std::optional<std::vector<bytes>> kept;
  if (m.answer.status == 0) {
    if (const auto records = decode_reply<control::try_delete_records>(m.answer.data)) {
      kept.emplace();
      for (const rec_data& r : *records) kept->emplace_back(r.key);
    }
  }
  work_.offered.answered(m.offer, m.node, kept);
  if (work_.running && work_.offered.complete()) all_answered();
}

void vacuuming::all_answered() {
  auto& v = work_;
  const auto others = who_must_agree();
  if (!may_run() || !others) return end();
  std::vector<offered_deletion> agreed;
  for (auto& r : v.offered.end()) {
    if (r.outcome == agreed_deletion::outcome::agreed) {
      agreed.push_back(std::move(r.what));
      continue;
    }
    const bool refused = r.outcome == agreed_deletion::outcome::refused;
    v.refused += refused;
    r.what.what.refusals += refused;
    if (r.what.what.refusals < most_refusals) v.again.push_back(std::move(r.what.what));
  }
  if (work_.stage == vacuum_stage::replacing && !agreed.empty())
    return ask_others(vacuum_stage::dropping, std::move(agreed), *others);
  agreed_ = std::move(agreed);
  drop_some();
  slice_later();
}

void vacuuming::drop_some() {
  const auto slice_ends = end_of_slice();
  for (; !agreed_.empty() && port_.env.loop.now() <= slice_ends; agreed_.pop_back())
    drop_last(std::move(agreed_.back()));
}

/// Nobody else has a copy: this node's goes, if it is still as it was offered.
void vacuuming::drop_last(offered_deletion o) {
  auto& v = work_;
  const auto here = deleted_here(o.what.key);
  const bool as_offered = here && here->empty && here->header == o.header;
  if (records_.is_wanted(o.what.key)) return v.again.push_back(std::move(o.what));
  if (as_offered && records_.forget(o.what.key)) ++v.forgotten, ++v.forgotten_in_run;
}

// --- the vacuuming of others -----------------------------------------------------------------------------------

/// TRY_DELETE_RECORDS: the answer lists what could not be deleted, or emptied.
void vacuuming::try_delete_records(db_control& m) {
  if (!of_volatile()) return m.answer.fail("only volatile databases are vacuumed");
  if (!may_run()) return m.answer.fail("not now: a recovery is going on");
  const auto& packet = m.packet->content;
  if (!m.client && packet.header.gen != port_.view->gen)
    return m.answer.fail("sent before the last recovery");
  try_to_delete(std::make_shared<deletion_request>(std::move(m), port_.config.id));
}

/// Some of them, and the rest in later turns: others are served in between.
void vacuuming::try_to_delete(const std::shared_ptr<deletion_request>& r) {
  auto& m = r->request;
  if (!may_run() || (!m.client && m.packet->content.header.gen != port_.view->gen))
    return m.answer.fail("a recovery has come in between");
  std::size_t n = 0;
  const auto slice_ends = end_of_slice();
  for (const rec_data& raw : m.request<control::try_delete_records>()) {
    if (n++ < r->done) continue;
    if (n > r->done + 1 && port_.env.loop.now() > slice_ends) {
      r->done = n - 1;
      return port_.self.tell(db_next_slice{[this, r] { try_to_delete(r); }});
    }
    if (raw.data.size() < record_header::wire_size) return m.answer.fail("a record without header");
    if (!delete_as_offered(raw)) r->kept.add_plain(raw.key, raw.data, raw.reqid);
  }
  m.answer.good(bytes(r->kept.encoded()));
}

/// False: it is kept.
bool vacuuming::delete_as_offered(const rec_data& raw) {
  const auto deleted = load_header(raw.data.data());
  const auto outcome =
      decide_try_delete(port_.env.self, records_.lmaster(raw.key), records_.header_of(raw.key),
                        deleted, records_.is_wanted(raw.key));
  if (outcome == try_delete_outcome::keep) return false;
  if (outcome == try_delete_outcome::gone) return true;
  return raw.reqid == only_empty_it ? records_.put(raw.key, deleted, {}) : records_.forget(raw.key);
}

}  // namespace floe
