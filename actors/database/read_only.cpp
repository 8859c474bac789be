/// Read-only copies of records: given, taken, called back, ended by recoveries. The rules: protocol/rules/read_only.hpp.
#include "protocol/rules/read_only.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/database/log_text.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// A holder that has not given its copy back is asked again after so long.
constexpr auto call_back_pause = std::chrono::seconds(1);

std::string list(std::span<const pnn> nodes) {
  std::string out;
  for (const pnn n : nodes) out += fmt::format("{}{}", out.empty() ? "" : ",", number(n));
  return out;
}

}  // namespace

void database::allow_copies(db_control& m) {
  copies_allowed_ = true;
  m.answer.good();
}

/// SET_DB_STICKY: see protocol/rules/stay.hpp.
void database::make_sticky(db_control& m) {
  auto stay = stays_.settings();
  stay.sticky = true;
  stays_.set(stay);
  m.answer.good();
}

/// A call says so; who only reads needs no more. Calls of other nodes get what they can use: header and data.
bool database::wants_copy(const lock_waiter& w, const lock_table::entry& e) const {
  if (!copies_allowed_ || e.no_copy) return false;
  if (w.use == record_use::read) return true;
  if (w.use != record_use::call && w.use != record_use::peer_call) return false;
  const auto& call = std::get<req_call>(w.packet->content.body);
  if (!(call.flags & call_flag::want_readonly)) return false;
  return w.use == record_use::call || call.callid == call_id::fetch_with_header;
}

// --- the dmaster -------------------------------------------------------------------------------------------------

void database::give_copy(const bytes& key, const packet_header& request) {
  auto& out = copies_out_.try_emplace(key, call_back_pause).first->second;
  const record r = local(key);
  const bool failed = out.now() == copies_out::state::failed;
  const auto d = decide_delegation(failed ? not_called_back_header(r.header) : r.header);
  if (d.kept != r.header && !put(key, d.kept, r.data)) {
    if (!copies_are_out(env_.self, r.header)) copies_out_.erase(key);
    return send_packet(
        request.src, request.id, env_.self,
        reply_error{.status = -1, .message = "no read-only copy can be given: storage failed"});
  }
  out.given(request.src);
  ++copies_given_;
  send_packet(request.src, request.id, env_.self,
              reply_call{.status = 0, .data = wire::encode(d.copy) + r.data});
}

bool database::is_calling_back(const bytes& key) const {
  if (copies_out_.empty()) return false;
  const auto i = copies_out_.find(key);
  return i != copies_out_.end() && i->second.now() == copies_out::state::calling_back;
}

/// True: there are none any more. Otherwise the queue of the key goes on when they are back.
bool database::call_copies_back(const bytes& key) {
  auto& out = copies_out_.try_emplace(key, call_back_pause).first->second;
  if (!out.may_call_back(env_.loop.now())) return false;
  const record r = local(key);
  rec_buffer_builder taken(config_.id);
  taken.add(key, call_back_header(r.header), r.data);
  const bytes data = taken.take();
  const auto attempt = ++last_call_back_;
  const auto asked = out.call_back(attempt, env_.loop.now());
  const std::vector<pnn> holders(asked.begin(), asked.end());
  for (const pnn n : holders)
    node_.tell(call_control{
        .to = n,
        .opcode = control::update_record,
        .data = data,
        .patience = config_.update_patience,
        .answer = replier([this, to = self(), key, n, attempt](const control_answer& a) {
          to.tell(db_next_slice{[this, key, n, attempt, gone = a.status == 0, why = a.text] {
            if (!gone) not_given_back(key, n, why);  // which runs only while this lives
            copy_answered(key, attempt, n, gone);
          }});
        })});
  return out.complete() && end_call_back(key);
}

void database::not_given_back(const bytes& key, pnn holder, const std::string& why) {
  const auto i = copies_out_.find(key);
  if (i == copies_out_.end()) return;
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(env_.loop.now() - i->second.since());
  env_.log.tell(event::migration_refused{
      .db = config_.name,
      .key = to_hex(key),
      .by = holder,
      .why = fmt::format("its read-only copy, wanted back for {} ms, is still there: {}",
                         age.count(), why)});
}

void database::copy_answered(const bytes& key, std::uint64_t attempt, pnn holder, bool gone) {
  const auto i = copies_out_.find(key);
  if (i == copies_out_.end()) return;  // a recovery has ended them
  auto& out = i->second;
  out.answered(attempt, holder, gone, env_.loop.now());
  if (out.complete()) {
    // frozen: at the thaw, or a recovery ends them
    if (thawed() && store_use_ == store_use::here && end_call_back(key)) advance(key);
  } else if (out.now() == copies_out::state::failed) {
    look_at_copies_later(key);
  }
}

/// Nobody reads from a copy any more: the record may be written.
bool database::end_call_back(const bytes& key) {
  const record r = local(key);
  if (!put(key, called_back_header(r.header), r.data)) {
    look_at_copies_later(key);
    return false;
  }
  copies_out_.erase(key);
  ++called_back_;
  return true;
}

/// What was answered while the database was frozen.
void database::end_call_backs() {
  for (const bytes& key : keys_with_copies()) {
    const auto i = copies_out_.find(key);
    if (i != copies_out_.end() && i->second.complete() && end_call_back(key)) advance(key);
  }
}

void database::look_at_copies_later(const bytes& key) {
  env_.loop.after(call_back_pause, [this, to = self(), key] {
    to.tell(db_next_slice{[this, key] {  // which runs only while this lives
      if (!thawed() || store_use_ != store_use::here) return;
      const auto i = copies_out_.find(key);
      if (i != copies_out_.end() && i->second.complete() && !end_call_back(key)) return;
      advance(key);
    }});
  });
}

// --- a holder ------------------------------------------------------------------------------------------------------

/// A copy that we have asked for.
void database::peer(pnn, const parcel_ptr& p, const reply_call& m) {
  const auto i = key_of_request_.find(number(p->content.header.id));
  if (i == key_of_request_.end()) return;
  const bytes key = i->second;
  auto* e = locks_.find(key);
  // frozen: it is asked for again when it is thawed
  if (!e || !e->migration || !e->migration->copy || !thawed() || !map_applies(gen_, view_->gen))
    return;
  // of before a recovery: its sender knows of no copies any more
  if (p->content.header.gen != gen_ || e->migration->gen != gen_) return;
  forget_request(e->migration->id);
  e->migration.reset();
  bool taken = false;
  if (m.status == 0 && m.data.size() >= record_header::wire_size) {
    const auto header = load_header(m.data.data());
    const auto data = byte_view(m.data).substr(record_header::wire_size);
    taken = decide_copy(env_.self, header_of(key), header) == copy_outcome::store &&
            put(key, header, data);
  }
  // then the record itself
  if (!taken) e->no_copy = true;
  advance(key);
}

/// UPDATE_RECORD of a volatile database: its sender owns these records and wants to write them.
void database::take_copy_back(db_control& m) {
  for (const rec_data& raw : m.request<control::update_record>()) {
    const auto r = raw.as_record();
    if (!r) return m.answer.fail("a record without header");
    const auto d = decide_called_back(env_.self, header_of(r->key), r->header);
    if (d.outcome == call_back_outcome::refuse)
      return m.answer.fail("this node owns the record: it has no copy of it");
    if (d.outcome == call_back_outcome::end_copy && !put(r->key, d.header, local(r->key).data))
      return m.answer.fail("cannot store: " + storage_.last_refusal());
    // a copy that is on its way here by a connection that has broken would not be called back
    auto* e = locks_.find(r->key);
    if (e && e->migration && e->migration->copy) ask_for(bytes(r->key), *e, e->migration->to, true);
  }
  m.answer.good();
}

/// Every store of a record of this node comes by here.
void database::note_copy(byte_view key, const record_header& header) {
  if (header.flags & record_flag::ro_have_readonly)
    copies_here_.emplace(key);
  else if (!copies_here_.empty())
    copies_here_.erase(bytes(key));
}

// --- recoveries ------------------------------------------------------------------------------------------------------

/// Of records whose headers tell of copies, sorted.
std::vector<bytes> database::keys_with_copies() const {
  std::vector<bytes> keys;
  keys.reserve(copies_out_.size() + copies_here_.size());
  for (const auto& [key, out] : copies_out_) keys.push_back(key);
  if (!mutated(mutant::copies_outlive_recoveries))
    keys.insert(keys.end(), copies_here_.begin(), copies_here_.end());
  return keys;
}

/// What was called back, and by whom, is of before.
void database::forget_copies() {
  copies_out_.clear();
  copies_here_.clear();
}

// --- what is shown -----------------------------------------------------------------------------------------------------

/// Why a request waits for copies; empty if it does not.
std::string database::who_has_copies(const bytes& key) const {
  const auto i = copies_out_.find(key);
  if (i == copies_out_.end() || i->second.now() == copies_out::state::out) return {};
  return fmt::format("copies-called-back-from-nodes-{}", list(i->second.holders()));
}

void database::report_copies(database_report& r) const {
  auto& to = r.read_only;
  to.out = copies_out_.size();
  to.here = copies_here_.size();
  to.given = copies_given_;
  to.called_back = called_back_;
  for (const auto& [key, out] : copies_out_) {
    if (out.now() == copies_out::state::out) continue;
    ++to.calling_back;
    const auto age =
        std::chrono::duration_cast<std::chrono::milliseconds>(env_.loop.now() - out.since());
    to.oldest_ms = std::max<std::int64_t>(to.oldest_ms, age.count());
  }
  r.sticky = stays_.sticky();
}

}  // namespace floe
