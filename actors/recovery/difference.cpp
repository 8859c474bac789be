/// The part of a database's recovery that looks only at what has changed: taking in the changes, asking for the copies
/// that are missing, and sorting the winners by who lacks them (storage/difference.hpp).
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
};

beside beside_key(std::uint32_t bits) {
  return {.age = bits & ~(is_mark | is_newer),
          .mark = (bits & is_mark) != 0,
          .newer = (bits & is_newer) != 0};
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
          difference_->changed(m.from, r.key, record, told.newer);
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

/// The winners, sorted by who lacks them, in buffers to be pushed.
class sorted_by_lack {
 public:
  sorted_by_lack(db_id db, std::size_t buffer_size) : db_(db), buffer_size_(buffer_size) {}

  /// Nothing for `r`: the key is gone everywhere.
  void add(const std::vector<pnn>& to, byte_view key, const std::optional<record_view>& r) {
    auto& p = parcels_.try_emplace(to, parcel{rec_buffer_builder(db_), {}, 0}).first->second;
    if (!p.open.empty() && p.open.size_with(key.size(), r ? r->data.size() : 0) > buffer_size_)
      p.end_buffer();
    if (r)
      p.open.add(key, r->header, r->data);
    else
      p.open.add_plain(key, {});
    ++p.records;
  }

  /// Each set of nodes with its buffers.
  template <class Visit>
  void take(Visit visit) {
    for (auto& [to, p] : parcels_) {
      if (!p.open.empty()) p.end_buffer();
      visit(to, std::move(p.buffers));
    }
  }

  /// How many records each node lacks.
  std::vector<db_lack> lacks() const {
    std::map<pnn, std::uint64_t> records;
    for (const auto& [to, p] : parcels_)
      for (const pnn n : to) records[n] += p.records;
    std::vector<db_lack> all;
    for (const auto& [n, count] : records) all.push_back({n, count});
    return all;
  }

 private:
  struct parcel {
    rec_buffer_builder open;
    std::vector<frame> buffers;
    std::uint64_t records = 0;

    void end_buffer() { buffers.push_back(std::make_shared<const bytes>(open.take())); }
  };

  db_id db_;
  std::size_t buffer_size_;
  std::map<std::vector<pnn>, parcel> parcels_;
};

}  // namespace

void db_recoverer::merge_difference(const db_effect::merge& e) {
  sorted_by_lack sorted(machine_.plan().db, config_.buffer_size);
  const auto fresh = machine_.fresh();
  const bool complete = difference_->decide([&](const difference_merge::decision& d) {
    auto to = d.lack;
    if (d.winner) {
      to.insert(to.end(), fresh.begin(), fresh.end());
      ++winners_;
    }
    outcome_.kept += d.kept;
    outcome_.lost += d.lost;
    if (!to.empty()) sorted.add(to, d.key, d.winner);
  });
  if (!complete)
    return feed(
        db_event::broke{.run = e.run, .detail = "copies that were asked for have not come"});
  if (!fresh.empty())
    for (const rec_buffer& buffer : whole_[machine_.fill_source()])
      for (const rec_data& r : buffer)
        if (const auto record = r.as_record(); record && !difference_->contains(r.key))
          sorted.add(fresh, r.key, record);
  sorted.take([&](const std::vector<pnn>& to, std::vector<frame> buffers) {
    parcels_.push_back({to, std::move(buffers)});
  });
  const auto keys = difference_->keys();
  env_.log.tell(event::recovery_compared{.db = machine_.db_name(),
                                         .gen = machine_.plan().gen,
                                         .base = machine_.base(),
                                         .keys = keys,
                                         .winners = winners_});
  outcome_.looked_at = keys;
  stop_pull();
  feed(db_event::merged{.run = e.run, .records = keys, .lack = sorted.lacks()});
}

}  // namespace floe
