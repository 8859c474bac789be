#include "actors/database/read_only_copies.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/rec_data.hpp"
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

/// A call says so; who only reads needs no more. Calls of other nodes get what they can use: header and data.
bool read_only_copies::is_wanted(const lock_waiter& w, const lock_table::entry& e) const {
  if (!allowed_ || e.no_copy) return false;
  if (w.use == record_use::read) return true;
  if (w.use != record_use::call && w.use != record_use::peer_call) return false;
  const auto& call = std::get<req_call>(w.packet->content.body);
  if (!(call.flags & call_flag::want_readonly)) return false;
  return w.use == record_use::call || call.callid == call_id::fetch_with_header;
}

// --- the dmaster -------------------------------------------------------------------------------------------------

void read_only_copies::give(const bytes& key, const packet_header& request) {
  const pnn self = port_.env.self;
  auto& out = out_.try_emplace(key, call_back_pause).first->second;
  const record r = records_.local(key);
  const bool failed = out.now() == copies_out::state::failed;
  const auto d = decide_delegation(failed ? not_called_back_header(r.header) : r.header);
  if (d.kept != r.header && !records_.put(key, d.kept, r.data)) {
    if (!copies_are_out(self, r.header)) out_.erase(key);
    return records_.send_packet(
        request.src, request.id, self,
        reply_error{.status = -1, .message = "no read-only copy can be given: storage failed"});
  }
  out.given(request.src);
  ++given_;
  ++port_.env.count.ro_delegations;
  records_.send_packet(request.src, request.id, self,
                       reply_call{.status = 0, .data = wire::encode(d.copy) + r.data});
}

bool read_only_copies::is_calling_back(const bytes& key) const {
  if (out_.empty()) return false;
  const auto i = out_.find(key);
  return i != out_.end() && i->second.now() == copies_out::state::calling_back;
}

bool read_only_copies::call_back(const bytes& key) {
  const auto now = port_.env.loop.now();
  auto& out = out_.try_emplace(key, call_back_pause).first->second;
  if (!out.may_call_back(now)) return false;
  const record r = records_.local(key);
  rec_buffer_builder taken(port_.config.id);
  taken.add(key, call_back_header(r.header), r.data);
  const bytes data = taken.take();
  const auto attempt = ++last_attempt_;
  const auto asked = out.call_back(attempt, now);
  const std::vector<pnn> holders(asked.begin(), asked.end());
  for (const pnn n : holders)
    port_.node.tell(call_control{
        .to = n,
        .opcode = control::update_record,
        .data = data,
        .patience = port_.config.update_patience,
        .answer = replier([this, to = port_.self, key, n, attempt](const control_answer& a) {
          to.tell(db_next_slice{[this, key, n, attempt, gone = a.status == 0, why = a.text] {
            if (!gone) not_given_back(key, n, why);  // which runs only while this lives
            answered(key, attempt, n, gone);
          }});
        })});
  return out.complete() && end_call_back(key);
}

void read_only_copies::not_given_back(const bytes& key, pnn holder, const std::string& why) const {
  const auto i = out_.find(key);
  if (i == out_.end()) return;
  port_.env.log.tell(event::migration_refused{
      .db = port_.config.name,
      .key = to_hex(key),
      .by = holder,
      .why = fmt::format("its read-only copy, wanted back for {} ms, is still there: {}",
                         in_ms(port_.env.loop.now() - i->second.since()), why)});
}

void read_only_copies::answered(const bytes& key, std::uint64_t attempt, pnn holder, bool gone) {
  const auto i = out_.find(key);
  if (i == out_.end()) return;  // a recovery has ended them
  auto& out = i->second;
  out.answered(attempt, holder, gone, port_.env.loop.now());
  if (out.complete()) {
    // frozen: at the thaw, or a recovery ends them
    if (is_served() && end_call_back(key)) records_.advance(key);
  } else if (out.now() == copies_out::state::failed) {
    look_later(key);
  }
}

/// Nobody reads from a copy any more: the record may be written.
bool read_only_copies::end_call_back(const bytes& key) {
  const record r = records_.local(key);
  if (!records_.put(key, called_back_header(r.header), r.data)) {
    look_later(key);
    return false;
  }
  out_.erase(key);
  ++called_back_;
  ++port_.env.count.ro_revokes;
  return true;
}

void read_only_copies::end_call_backs() {
  for (const bytes& key : keys()) {
    const auto i = out_.find(key);
    if (i != out_.end() && i->second.complete() && end_call_back(key)) records_.advance(key);
  }
}

void read_only_copies::look_later(const bytes& key) {
  port_.env.loop.after(call_back_pause, [this, to = port_.self, key] {
    to.tell(db_next_slice{[this, key] {  // which runs only while this lives
      if (!is_served()) return;
      const auto i = out_.find(key);
      if (i != out_.end() && i->second.complete() && !end_call_back(key)) return;
      records_.advance(key);
    }});
  });
}

std::string read_only_copies::who_has(const bytes& key) const {
  const auto i = out_.find(key);
  if (i == out_.end() || i->second.now() == copies_out::state::out) return {};
  return fmt::format("copies-called-back-from-nodes-{}", list(i->second.holders()));
}

// --- all -----------------------------------------------------------------------------------------------------------

void read_only_copies::note(byte_view key, const record_header& header) {
  if (header.flags & record_flag::ro_have_readonly)
    here_.emplace(key);
  else if (!here_.empty())
    here_.erase(bytes(key));
}

std::vector<bytes> read_only_copies::keys() const {
  std::vector<bytes> keys;
  keys.reserve(out_.size() + here_.size());
  for (const auto& [key, out] : out_) keys.push_back(key);
  if (!mutated(mutant::copies_outlive_recoveries))
    keys.insert(keys.end(), here_.begin(), here_.end());
  return keys;
}

key_set read_only_copies::without(const key_set& all) const {
  key_set rest(all.tag_size());
  all.each([&](byte_view key) {
    const bytes k(key);
    if (!out_.contains(k) && !here_.contains(k)) rest.insert(key, all.tag_behind(key));
  });
  return rest;
}

void read_only_copies::forget() {
  out_.clear();
  here_.clear();
}

void read_only_copies::report(database_report& r) const {
  auto& to = r.read_only;
  to.out = out_.size();
  to.here = here_.size();
  to.given = given_;
  to.called_back = called_back_;
  for (const auto& [key, out] : out_) {
    if (out.now() == copies_out::state::out) continue;
    ++to.calling_back;
    to.oldest_ms = std::max(to.oldest_ms, in_ms(port_.env.loop.now() - out.since()));
  }
}

}  // namespace floe
