#include "storage/difference.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

bool same(const record_view& a, const record_view& b) {
  return a.header == b.header && a.data == b.data;
}

/// The records of a content, one after the other.
class content_cursor {
 public:
  explicit content_cursor(const std::vector<rec_buffer>& buffers) : buffers_(buffers) { settle(); }

  const ordered_key* key() const { return at_end_ ? nullptr : &key_; }
  const record_view& record() const { return record_; }
  void next() {
    ++at_;
    settle();
  }

 private:
  void settle() {
    for (;; ++buffer_, begun_ = false) {
      if (buffer_ == buffers_.size()) {
        at_end_ = true;
        return;
      }
      if (!std::exchange(begun_, true)) at_ = buffers_[buffer_].begin();
      if (at_ == buffers_[buffer_].end()) continue;
      const rec_data r = *at_;
      record_ = r.as_record().value_or(record_view{r.key, {}, {}});
      key_ = ordered_key(record_.key);
      return;
    }
  }

  const std::vector<rec_buffer>& buffers_;
  std::size_t buffer_ = 0;
  rec_buffer::iterator at_;
  bool begun_ = false, at_end_ = false;
  ordered_key key_;
  record_view record_;
};

}  // namespace

difference_merge::entry& difference_merge::entry_of(byte_view key) {
  const auto [i, is_new] = index_.try_emplace(key, entries_.size());
  if (is_new)
    entries_.push_back({.key = key,
                        .changed = {},
                        .base = {},
                        .returned = {},
                        .touched = {},
                        .marks = {},
                        .returners_marks = {}});
  return entries_[i->second];
}

difference_merge::entry* difference_merge::known(byte_view key) {
  const auto i = index_.find(key);
  return i == index_.end() ? nullptr : &entries_[i->second];
}

std::uint32_t returning_node::oldest_since(generation content) const {
  if (content == part) return 1;
  const auto i = std::ranges::find(earlier, content);
  return i == earlier.end() ? std::numeric_limits<std::uint32_t>::max()
                            : static_cast<std::uint32_t>(i - earlier.begin()) + 2;
}

void difference_merge::changed(pnn member, byte_view key, const std::optional<record_view>& has) {
  auto& e = entry_of(key);
  if (std::ranges::find(e.changed, member, &copy::from) != e.changed.end()) return;
  e.changed.push_back({member, has.has_value(), has.value_or(record_view{})});
}

void difference_merge::unchanged(pnn member, byte_view key, const std::optional<record_view>& has) {
  entry_of(key).base = {member, has.has_value(), has.value_or(record_view{})};
}

void difference_merge::touched(byte_view key, const key_touches& by) {
  auto& t = entry_of(key).touched;
  t.before |= by.before;
  t.after |= by.after;
}

void difference_merge::returned(pnn node, byte_view key, const std::optional<record_view>& has) {
  auto& e = entry_of(key);
  if (std::ranges::find(e.returned, node, &copy::from) != e.returned.end()) return;
  e.returned.push_back({node, has.has_value(), has.value_or(record_view{})});
}

void difference_merge::was(byte_view key, const members_mark& m) {
  entry_of(key).marks.push_back(m);
}

void difference_merge::returner_was(pnn node, byte_view key, std::uint32_t age,
                                    const record_mark& m) {
  entry_of(key).returners_marks.push_back({node, age, m});
}

// --- members that could not note what they have changed ---------------------------------------------

void difference_merge::compare_whole(const std::vector<whole_content>& overflowed,
                                     const whole_content& reference) {
  for (const auto& o : overflowed) {
    content_cursor theirs(o.buffers), ours(reference.buffers);
    while (theirs.key() || ours.key()) {
      const bool only_ours = !theirs.key() || (ours.key() && *ours.key() < *theirs.key());
      const bool only_theirs = !ours.key() || (theirs.key() && *theirs.key() < *ours.key());
      if (only_ours || only_theirs || !same(theirs.record(), ours.record()))
        entry_of(only_ours ? ours.record().key : theirs.record().key);
      if (!only_theirs) ours.next();
      if (!only_ours) theirs.next();
    }
  }
  for (const auto& o : overflowed) {
    for (content_cursor c(o.buffers); c.key(); c.next())
      if (auto* e = known(c.record().key))
        e->changed.push_back({o.member, true, c.record(), false});
    for (auto& e : entries_)
      if (std::ranges::find(e.changed, o.member, &copy::from) == e.changed.end())
        e.changed.push_back({o.member, false, {}, false});
  }
  const auto set_base = [&](entry& e, const std::optional<record_view>& has) {
    const bool has_changed =
        std::ranges::find(e.changed, reference.member, &copy::from) != e.changed.end();
    if (!has_changed && !e.base)
      e.base = {reference.member, has.has_value(), has.value_or(record_view{})};
  };
  for (content_cursor c(reference.buffers); c.key(); c.next())
    if (auto* e = known(c.record().key)) set_base(*e, c.record());
  for (auto& e : entries_) set_base(e, std::nullopt);
}

// --- what is to be asked ------------------------------------------------------------------------------

/// The members that have not changed it.
std::vector<pnn> difference_merge::without(const entry& e) const {
  std::vector<pnn> rest;
  for (pnn m : members_)
    if (std::ranges::find(e.changed, m, &copy::from) == e.changed.end()) rest.push_back(m);
  return rest;
}

std::map<pnn, std::vector<byte_view>> difference_merge::missing() const {
  std::map<pnn, std::vector<byte_view>> asked;
  for (const auto& e : entries_) {
    if (e.base || e.changed.size() == members_.size()) continue;
    const auto rest = without(e);
    const bool first = std::ranges::find(rest, asked_first_) != rest.end();
    asked[first ? asked_first_ : rest.front()].push_back(e.key);
  }
  return asked;
}

// --- decisions ----------------------------------------------------------------------------------------

bool difference_merge::decide(function_ref<void(const decision&)> visitor) const {
  for (const auto& e : entries_)
    if (!e.base && e.changed.size() < members_.size()) return false;
  std::vector<std::pair<ordered_key, std::size_t>> order;
  order.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i)
    order.emplace_back(ordered_key(entries_[i].key), i);
  std::ranges::sort(order, [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, i] : order) visitor(decide(entries_[i]));
  return true;
}

difference_merge::standing difference_merge::best_of_members(const entry& e) const {
  standing s;
  const auto offer = [&](const copy& c, pnn holder, bool is_changed) {
    const changed_claim claim{.header = c.record.header, .holder = holder, .changed = is_changed};
    if (!c.there || (s.best && !beats(claim, *s.best))) return;
    s.best = claim;
    s.winner = c.record;
  };
  for (const auto& c : e.changed)
    offer(c, c.from, c.noted || !e.base || !e.base->there || !same(c.record, e.base->record));
  const auto rest = without(e);
  if (rest.empty()) return s;
  // the base's copy is its owner's, where the owner has not changed it
  const bool owned = std::ranges::find(rest, e.base->record.header.dmaster) != rest.end();
  offer(*e.base, owned ? e.base->record.header.dmaster : rest.front(), false);
  return s;
}

/// Where a member could not note what it has changed, nobody knows what has been touched.
bool difference_merge::may_count(const entry& e, const copy& returned,
                                 const standing& of_members) const {
  const auto i = std::ranges::find(behind_, returned.from, &returning_node::node) - behind_.begin();
  if (i >= 64 || !std::ranges::all_of(e.changed, &copy::noted)) return false;
  if (behind_[static_cast<std::size_t>(i)].filled) return false;
  const auto bit = std::uint64_t{1} << i;
  if (e.touched.after & bit) return false;
  return of_members.best || !(e.touched.before & bit);
}

/// Whether the members have nothing of it, and never had: who has only looked for it, or locked it, has an empty record.
bool difference_merge::have_never_had(const entry& e, const standing& of_members) const {
  if (of_members.mark().data_sum != 0 || !std::ranges::all_of(e.changed, &copy::noted))
    return false;
  if (mutated(mutant::looked_for_counts_as_had) && e.touched.after) return false;
  const bool touched = e.touched.before || e.touched.after;
  return !(touched && e.marks.empty()) && std::ranges::none_of(e.marks, [](const members_mark& m) {
    return m.mark.written || m.mark.data_sum != 0;
  });
}

/// Nodes that have nothing in common with the members: the best copy that they have.
void difference_merge::let_strangers_bring(const entry& e, const standing& of_members, standing& s,
                                           decision& d) const {
  standing theirs;
  for (const auto& c : e.returned) {
    const auto b = std::ranges::find(behind_, c.from, &returning_node::node);
    if (!c.there || b == behind_.end() || !b->stranger || b->part != generation::invalid) continue;
    const changed_claim claim{.header = c.record.header, .holder = c.from, .changed = true};
    if (theirs.best && !beats(claim, *theirs.best)) continue;
    theirs.best = claim;
    theirs.winner = c.record;
  }
  if (!theirs.best || (of_members.best && theirs.winner.data.empty())) return;
  if (!have_never_had(e, of_members)) {
    const bool same_record = of_members.best && same(theirs.winner, of_members.winner);
    d.lost |= !same_record && (!of_members.best || beats(*theirs.best, *of_members.best));
    return;
  }
  if (d.kept && !beats(*theirs.best, *s.best)) return;
  theirs.winner.header = winning_header(theirs.winner.header, of_members.mark());
  theirs.best->header = theirs.winner.header;
  s = theirs;
  d.kept = true;
}

/// What happened to the record among the members since a node behind parted from them. Nothing: nobody knows.
std::optional<part_history> difference_merge::history_of_members(const entry& e,
                                                                 std::size_t returner,
                                                                 const standing& now) const {
  part_history h{.at_parting = now.mark(), .now = now.mark()};
  if (behind_[returner].from_base) return h;
  if (returner >= 64 || !std::ranges::all_of(e.changed, &copy::noted)) return std::nullopt;
  const auto bit = std::uint64_t{1} << returner;
  // dropped as they parted, when nobody seemed to be away
  if (!now.best && (e.touched.before & bit) && !(e.touched.after & bit)) return std::nullopt;
  if (!(e.touched.after & bit)) return h;
  const members_mark* first = nullptr;
  for (const auto& m : e.marks)
    if ((m.parted_before & bit) && (!first || m.age > first->age)) first = &m;
  if (!first) return std::nullopt;
  h.at_parting = first->mark;
  for (const auto& m : e.marks) h.at_parting.written |= (m.parted_before & bit) && m.mark.written;
  return h;
}

part_history difference_merge::history_of_part(const entry& e, const of_part& p,
                                               generation since) const {
  part_history h{.at_parting = p.now.mark(), .now = p.now.mark()};
  const returner_mark* first = nullptr;
  bool written = false;
  for (const auto& m : e.returners_marks) {
    const auto of = std::ranges::find(behind_, m.from, &returning_node::node);
    if (of == behind_.end() || of->part != p.content || m.age > of->oldest_since(since)) continue;
    if (!first || m.age > first->age) first = &m;
    written |= m.mark.written;
  }
  if (first) h.at_parting = first->mark;
  h.at_parting.written |= written;
  return h;
}

/// The latest content that both have had. Invalid: none that is known.
generation difference_merge::last_in_common(const of_part& one, const of_part& other) const {
  const auto had = [](const returning_node& n, generation g) {
    return n.part == g || std::ranges::find(n.earlier, g) != n.earlier.end();
  };
  const auto &a = behind_[one.node], &b = behind_[other.node];
  if (had(b, a.part)) return a.part;
  const auto g = std::ranges::find_if(a.earlier, [&](generation x) { return had(b, x); });
  return g == a.earlier.end() ? generation::invalid : *g;
}

/// Of two parts that have gone on without the members it matters who has written the record since these two parted: before, both
/// have seen the same. One of them may be where the other one has left it.
bool difference_merge::is_ahead(const entry& e, const of_part& one, const of_part& other) const {
  const auto since = mutated(mutant::parts_part_from_members_alone) ? generation::invalid
                                                                    : last_in_common(one, other);
  return part_that_goes_on(history_of_part(e, other, since), history_of_part(e, one, since)) ==
         part::returner;
}

/// Among members whose content was replaced since the part left them: they have no such record, and have had none since.
bool difference_merge::has_written_what_is_unknown(const entry& e, std::size_t returner,
                                                   const standing& of_members,
                                                   const part_history& own) const {
  return !of_members.best && !(e.touched.after & std::uint64_t{1} << returner) && own.wrote();
}

/// By their contents.
std::vector<difference_merge::of_part> difference_merge::parts_of(const entry& e) const {
  std::vector<of_part> parts;
  for (const auto& c : e.returned) {
    const auto i = static_cast<std::size_t>(
        std::ranges::find(behind_, c.from, &returning_node::node) - behind_.begin());
    if (i == behind_.size() || behind_[i].part == generation::invalid) continue;
    auto p = std::ranges::find(parts, behind_[i].part, &of_part::content);
    if (p == parts.end()) p = parts.insert(p, {.content = behind_[i].part, .node = i, .now = {}});
    const changed_claim claim{.header = c.record.header, .holder = c.from, .changed = true};
    if (!c.there || (p->now.best && !beats(claim, *p->now.best))) continue;
    p->now.best = claim;
    p->now.winner = c.record;
  }
  std::ranges::sort(parts, {}, [](const of_part& p) { return number(p.content); });
  return parts;
}

/// Nodes that come back from parts which have gone on: the best copy of each part is the part's. `s`: what wins among all
/// others, and then among all.
void difference_merge::let_parts_compete(const entry& e, standing& s, decision& d) const {
  const auto of_members = s;
  const auto parts = parts_of(e);
  const of_part* leads = nullptr;
  for (const auto& p : parts) {
    const auto members = history_of_members(e, p.node, of_members);
    const auto own = history_of_part(e, p);
    // where the members' content was replaced it is theirs, or what only the other has written since
    const bool goes_on =
        members &&
        (!behind_[p.node].stranger || has_written_what_is_unknown(e, p.node, of_members, own)) &&
        part_that_goes_on(*members, own) == part::returner && (!leads || is_ahead(e, p, *leads));
    if (!goes_on) {
      d.lost |= own.now.data_sum != of_members.mark().data_sum && own.now.rsn > rsn{0};
      continue;
    }
    leads = &p;
    d.kept = true;
    auto winner = p.now.best ? p.now.winner : record_view{e.key, of_members.winner.header, {}};
    winner.header = winning_header(winner.header, of_members.mark());
    s.best =
        changed_claim{.header = winner.header, .holder = behind_[p.node].node, .changed = true};
    s.winner = winner;
  }
}

difference_merge::decision difference_merge::decide(const entry& e) const {
  decision d{.key = e.key};
  const auto of_members = best_of_members(e);
  auto s = of_members;
  const auto competes_otherwise = [&](const copy& c) {
    const auto b = std::ranges::find(behind_, c.from, &returning_node::node);
    return b != behind_.end() && (b->stranger || b->part != generation::invalid);
  };
  for (const auto& c : e.returned) {
    const changed_claim claim{.header = c.record.header, .holder = c.from, .changed = true};
    if (!c.there || competes_otherwise(c)) continue;
    if (s.best && (same(c.record, s.winner) || !beats(claim, *s.best))) continue;
    if (!may_count(e, c, of_members)) {
      d.lost = true;
      continue;
    }
    d.kept = true;
    s.best = claim;
    s.winner = c.record;
  }
  if (!e.returned.empty()) {
    let_strangers_bring(e, of_members, s, d);
    let_parts_compete(e, s, d);
  }
  if (s.best)
    if (const auto h = kept_header(s.winner.header, !s.winner.data.empty(), all_here_))
      d.winner = record_view{e.key, *h, s.winner.data};
  d.lack = who_lacks(e, d.winner);
  return d;
}

std::vector<pnn> difference_merge::who_lacks(const entry& e,
                                             const std::optional<record_view>& winner) const {
  const auto lacks = [&](const copy& c) {
    return c.there != winner.has_value() || (c.there && !same(c.record, *winner));
  };
  std::vector<pnn> lack;
  for (const auto& c : e.changed)
    if (lacks(c)) lack.push_back(c.from);
  if (const auto rest = without(e); !rest.empty() && lacks(*e.base))
    lack.insert(lack.end(), rest.begin(), rest.end());
  for (const auto& b : behind_) {
    if (b.stranger) continue;
    const auto has = std::ranges::find(e.returned, b.node, &copy::from);
    if (has == e.returned.end() || lacks(*has)) lack.push_back(b.node);
  }
  std::ranges::sort(lack);
  return lack;
}

}  // namespace floe
