/// The part of a database's recovery that looks only at what has changed: taking in the changes, asking for the copies
/// that are missing, and having it merged (merged_difference.hpp).
#include <algorithm>

#include "actors/events.hpp"
#include "actors/mark_record.hpp"
#include "actors/recovery/db_recoverer.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/winner.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void db_recoverer::start_difference(const db_effect::ask& e) {
  stop_pull();
  parcels_.clear();
  winners_ = 0;
  outcome_.kept = outcome_.lost = 0;
  const auto members = machine_.members();
  const bool leader_is_one = std::ranges::find(members, config_.leader) != members.end();
  std::vector<returning_node> behind;
  for (const pnn n : machine_.behind())
    behind.push_back({.node = n,
                      .part = machine_.own_generation(n),
                      .from_base = machine_.left_at_base(n),
                      .earlier = machine_.earlier_of(n)});
  strangers_ = machine_.strangers();
  for (const pnn n : strangers_) {
    const bool parted = machine_.parted_at(n) != generation::invalid;
    behind.push_back({.node = n,
                      .part = parted ? machine_.content_of(n) : generation::invalid,
                      .stranger = true,
                      .earlier = machine_.earlier_of(n)});
  }
  somebody_returns_ = !behind.empty();
  for (const pnn n : machine_.filled()) behind.push_back({.node = n, .filled = true});
  difference_ = std::make_unique<difference_merge>(members, std::move(behind),
                                                   leader_is_one ? config_.leader : members.front(),
                                                   machine_.plan().all_here);
  touches_.clear();
  whole_.clear();
  env_.log.tell(
      event::recovery_pull{.db = machine_.db_name(), .gen = machine_.plan().gen, .from = members});
  env_.log.tell(event::recovery_changes{.db = machine_.db_name(),
                                        .gen = machine_.plan().gen,
                                        .base = machine_.base(),
                                        .behind = machine_.behind(),
                                        .filled = machine_.filled(),
                                        .fresh = machine_.fresh()});
  listen(e);
}

namespace {

/// What stands beside a key in what DB_CHANGES sends.
struct beside {
  std::uint32_t age = 0;  ///< of the change
  bool mark = false;      ///< not the record, but what it was before
  bool newer = false;     ///< the copy beats what was before
  bool written = false;   ///< it has been written since the base
};

beside beside_key(std::uint32_t bits) {
  return {.age = bits & ~(is_mark | is_newer | is_written),
          .mark = (bits & is_mark) != 0,
          .newer = (bits & is_newer) != 0,
          .written = (bits & is_written) != 0};
}

}  // namespace

void db_recoverer::take_difference(const dbr_records& m, const rec_buffer& buffer, source& s) {
  s.arrived += buffer.count();
  difference_->keep(m.packet->raw);
  const bool is_member = took_part(m.from);
  const bool is_stranger = std::ranges::find(strangers_, m.from) != strangers_.end();
  if (machine_.phase() == db_phase::fill || (is_pulled_whole(m.from) && !is_stranger)) {
    whole_[m.from].push_back(buffer);
    return;
  }
  for (const rec_data& r : buffer) {
    const auto record = r.as_record();
    if (!record && !r.data.empty()) {
      s.error = "a record with half a header";
      return;
    }
    const auto told = beside_key(r.reqid);
    switch (machine_.phase()) {
      case db_phase::changes:
        if (told.mark) {
          if (!take_mark(m.from, is_member, told.age, record)) s.error = "a bad mark";
          break;
        }
        // what a member did not change itself it tells because nodes behind may lack it; its copy is the base's
        if (is_member && told.age == 1)
          difference_->changed(m.from, r.key, record,
                               {.newer = told.newer, .written = told.written});
        else if (is_member)
          difference_->unchanged(m.from, r.key, record);
        else
          difference_->returned(m.from, r.key, record);
        if (is_member && somebody_returns_) difference_->touched(r.key, touches(m.from, told.age));
        break;
      case db_phase::copies: difference_->unchanged(m.from, r.key, record); break;
      default: return;
    }
  }
}

/// What the record was before a change, as far as that matters to a node that comes back.
bool db_recoverer::take_mark(pnn from, bool is_member, std::uint32_t age,
                             const std::optional<record_view>& told) {
  const auto mark = mark_in(told);
  if (age == 0 || !mark) return false;
  if (is_member)
    difference_->was(told->key, {machine_.parted_before(from, age), age, *mark});
  else if (machine_.after_own_commit(from, age))
    difference_->returner_was(from, told->key, age, *mark);
  return true;
}

/// It has changed more than it could note; or it shares nothing with the others.
bool db_recoverer::is_pulled_whole(pnn n) const {
  if (machine_.phase() != db_phase::changes) return false;
  if (std::ranges::find(strangers_, n) != strangers_.end())
    return machine_.parted_at(n) == generation::invalid;
  const auto all = machine_.overflowed();
  return std::ranges::find(all, n) != all.end();
}

/// There are few ages, and many records.
const key_touches& db_recoverer::touches(pnn member, std::uint32_t age) {
  const auto [i, is_new] = touches_.try_emplace({member, age});
  if (is_new) i->second = machine_.touches(member, age);
  return i->second;
}

/// A request for copies is one packet, and those have a limit; so many records are pulled as fast with all others.
constexpr std::size_t largest_request = 16u << 20;

void db_recoverer::act(const db_effect::compare& e) {
  db_event::compared done{.run = e.run};
  asked_.clear();
  if (const auto all = machine_.overflowed(); !all.empty()) {
    std::vector<difference_merge::whole_content> overflowed;
    for (const pnn n : all) overflowed.push_back({n, whole_[n]});
    const pnn reference = machine_.fill_source();
    difference_->compare_whole(overflowed, {reference, whole_[reference]});
  }
  for (const auto& [n, keys] : difference_->missing()) {
    rec_buffer_builder list(machine_.plan().db);
    for (const byte_view key : keys) list.add_plain(key, {});
    done.too_many |= list.size() > largest_request;
    asked_[n] = list.take();
    done.ask.push_back(n);
  }
  feed(std::move(done));
}

namespace {

/// From this many keys they are merged on another thread: meanwhile the leader's node serves, and recovers other databases.
constexpr std::size_t small_merge = 2000;

}  // namespace

void db_recoverer::merge_difference(const db_effect::merge& e) {
  const auto merging =
      std::make_shared<merged_difference>(merged_difference{.db = machine_.plan().db,
                                                            .buffer_size = config_.buffer_size,
                                                            .difference = std::move(difference_),
                                                            .fresh = machine_.fresh(),
                                                            .unchanged = {}});
  if (!merging->fresh.empty()) merging->unchanged = std::move(whole_[machine_.fill_source()]);
  stop_pull();
  dbr_merged done{.run = e.run, .what = merging};
  std::size_t records = merging->difference->keys();
  for (const auto& buffer : merging->unchanged) records += buffer.count();
  if (records < small_merge) {
    merging->carry_out();
    return on(done);
  }
  env_.loop.offload([merging] { merging->carry_out(); },
                    [to = self(), done] { to.tell(dbr_merged(done)); });
}

void db_recoverer::on(dbr_merged& m) {
  if (m.run != machine_.run() || machine_.phase() != db_phase::merge) return;
  auto& done = *m.what;
  if (!done.complete)
    return feed(
        db_event::broke{.run = m.run, .detail = "copies that were asked for have not come"});
  parcels_ = std::move(done.parcels);
  winners_ = done.winners;
  outcome_.kept = done.kept;
  outcome_.lost = done.lost;
  outcome_.looked_at = done.keys;
  env_.log.tell(event::recovery_compared{.db = machine_.db_name(),
                                         .gen = machine_.plan().gen,
                                         .base = machine_.base(),
                                         .keys = done.keys,
                                         .winners = winners_});
  feed(db_event::merged{.run = m.run, .records = done.keys, .lack = done.lack});
}

}  // namespace floe
