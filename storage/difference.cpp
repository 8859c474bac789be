#include "storage/difference.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "protocol/mutant.hpp"
#include "storage/key_sort.hpp"

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
  const auto i = index_.find_or_add(key);
  if (i == entries_.size()) entries_.emplace_back();
  return entries_[i];
}

difference_merge::entry* difference_merge::known(byte_view key) {
  const auto i = index_.find(key);
  return i ? &entries_[*i] : nullptr;
}

bool difference_merge::all_noted(const entry& e) const {
  return std::ranges::all_of(changed_of(e), &copy::noted);
}

bool difference_merge::has_changed(const entry& e, pnn member) const {
  return std::ranges::find(changed_of(e), member, &copy::from) != changed_of(e).end();
}

/// The copy that some members have not changed matters, and is not known.
bool difference_merge::is_open(const entry& e) const {
  return e.base == 0 && !e.beats_base && e.changed.size < members_.size();
}

void difference_merge::set_base(entry& e, const copy& c) {
  if (e.base == 0) {
    bases_.emplace_back();
    e.base = static_cast<std::uint32_t>(bases_.size());
  }
  bases_[e.base - 1] = c;
}

std::uint32_t returning_node::oldest_since(generation content) const {
  if (content == part) return 1;
  const auto i = std::ranges::find(earlier, content);
  return i == earlier.end() ? std::numeric_limits<std::uint32_t>::max()
                            : static_cast<std::uint32_t>(i - earlier.begin()) + 2;
}

void difference_merge::changed(pnn member, byte_view key, const std::optional<record_view>& has,
                               const change_told& how) {
  auto& e = entry_of(key);
  if (has_changed(e, member)) return;
  copies_.append(e.changed, {.from = member,
                             .there = has.has_value(),
                             .record = has.value_or(record_view{}),
                             .newer = how.newer,
                             .written = how.written});
  e.beats_base |= how.newer && has;
}

void difference_merge::unchanged(pnn member, byte_view key, const std::optional<record_view>& has) {
  set_base(entry_of(key), {member, has.has_value(), has.value_or(record_view{})});
}

void difference_merge::touched(byte_view key, const key_touches& by) {
  auto& t = entry_of(key).touched;
  t.before |= by.before;
  t.after |= by.after;
}

void difference_merge::returned(pnn node, byte_view key, const std::optional<record_view>& has) {
  auto& e = entry_of(key);
  if (std::ranges::find(returned_of(e), node, &copy::from) != returned_of(e).end()) return;
  copies_.append(e.returned, {node, has.has_value(), has.value_or(record_view{})});
}

void difference_merge::was(byte_view key, const members_mark& m) {
  marks_.append(entry_of(key).marks, m);
}

void difference_merge::returner_was(pnn node, byte_view key, std::uint32_t age,
                                    const record_mark& m) {
  returners_marks_.append(entry_of(key).returners_marks, {node, age, m});
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
        copies_.append(e->changed, {o.member, true, c.record(), false});
    for (auto& e : entries_)
      if (!has_changed(e, o.member)) copies_.append(e.changed, {o.member, false, {}, false});
  }
  const auto take = [&](entry& e, const std::optional<record_view>& has) {
    if (e.base == 0 && !has_changed(e, reference.member))
      set_base(e, {reference.member, has.has_value(), has.value_or(record_view{})});
  };
  for (content_cursor c(reference.buffers); c.key(); c.next())
    if (auto* e = known(c.record().key)) take(*e, c.record());
  for (auto& e : entries_) take(e, std::nullopt);
}

// --- what is to be asked ------------------------------------------------------------------------------

/// The members that have not changed it.
std::vector<pnn> difference_merge::without(const entry& e) const {
  std::vector<pnn> rest;
  for (pnn m : members_)
    if (!has_changed(e, m)) rest.push_back(m);
  return rest;
}

std::map<pnn, std::vector<byte_view>> difference_merge::missing() const {
  std::map<pnn, std::vector<byte_view>> asked;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (!is_open(entries_[i])) continue;
    const auto rest = without(entries_[i]);
    const bool first = std::ranges::find(rest, asked_first_) != rest.end();
    asked[first ? asked_first_ : rest.front()].push_back(index_.key(i));
  }
  return asked;
}

// --- decisions ----------------------------------------------------------------------------------------

bool difference_merge::decide(function_ref<void(const decision&)> visitor) const {
  if (std::ranges::any_of(entries_, [this](const entry& e) { return is_open(e); })) return false;
  for (const auto i : sorted_numbers(index_.keys())) visitor(decide(index_.key(i), entries_[i]));
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
  const copy* base = base_of(e);
  for (const auto& c : changed_of(e))
    offer(c, c.from, c.noted || !base || !base->there || !same(c.record, base->record));
  if (!base || e.changed.size == members_.size()) return s;
  // the base's copy is its owner's, where the owner has not changed it
  const auto rest = without(e);
  const bool owned = std::ranges::find(rest, base->record.header.dmaster) != rest.end();
  offer(*base, owned ? base->record.header.dmaster : rest.front(), false);
  return s;
}

/// Where a member could not note what it has changed, nobody knows what has been touched.
bool difference_merge::may_count(const entry& e, const copy& returned,
                                 const standing& of_members) const {
  const auto i = std::ranges::find(behind_, returned.from, &returning_node::node) - behind_.begin();
  if (i >= 64 || !all_noted(e)) return false;
  if (behind_[static_cast<std::size_t>(i)].filled) return false;
  const auto bit = std::uint64_t{1} << i;
  if (e.touched.after & bit) return false;
  return of_members.best || !(e.touched.before & bit);
}

/// Whether the members have nothing of it, and never had: who has only looked for it, or locked it, has an empty record.
bool difference_merge::have_never_had(const entry& e, const standing& of_members) const {
  if (of_members.mark().data_sum != 0 || !all_noted(e)) return false;
  if (mutated(mutant::looked_for_counts_as_had) && e.touched.after) return false;
  const bool touched = e.touched.before || e.touched.after;
  return !(touched && e.marks.size == 0) &&
         std::ranges::none_of(marks_.in(e.marks), [](const members_mark& m) {
           return m.mark.written || m.mark.data_sum != 0;
         });
}

/// Nodes that have nothing in common with the members: the best copy that they have.
void difference_merge::let_strangers_bring(const entry& e, const standing& of_members, standing& s,
                                           decision& d) const {
  standing theirs;
  for (const auto& c : returned_of(e)) {
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
  if (returner >= 64 || !all_noted(e)) return std::nullopt;
  const auto bit = std::uint64_t{1} << returner;
  // dropped as they parted, when nobody seemed to be away
  if (!now.best && (e.touched.before & bit) && !(e.touched.after & bit)) return std::nullopt;
  if (!(e.touched.after & bit)) return h;
  const members_mark* first = nullptr;
  for (const auto& m : marks_.in(e.marks))
    if ((m.parted_before & bit) && (!first || m.age > first->age)) first = &m;
  if (!first) return std::nullopt;
  h.at_parting = first->mark;
  for (const auto& m : marks_.in(e.marks))
    h.at_parting.written |= (m.parted_before & bit) && m.mark.written;
  return h;
}

part_history difference_merge::history_of_part(const entry& e, const of_part& p,
                                               generation since) const {
  part_history h{.at_parting = p.now.mark(), .now = p.now.mark()};
  const returner_mark* first = nullptr;
  bool written = false;
  for (const auto& m : returners_marks_.in(e.returners_marks)) {
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
  for (const auto& c : returned_of(e)) {
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
void difference_merge::let_parts_compete(byte_view key, const entry& e, standing& s,
                                         decision& d) const {
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
    auto winner = p.now.best ? p.now.winner : record_view{key, of_members.winner.header, {}};
    winner.header = winning_header(winner.header, of_members.mark());
    s.best =
        changed_claim{.header = winner.header, .holder = behind_[p.node].node, .changed = true};
    s.winner = winner;
  }
}

/// Nodes that come back to the content from which they were left out.
void difference_merge::let_returners_compete(const entry& e, const standing& of_members,
                                             standing& s, decision& d) const {
  const auto competes_otherwise = [&](const copy& c) {
    const auto b = std::ranges::find(behind_, c.from, &returning_node::node);
    return b != behind_.end() && (b->stranger || b->part != generation::invalid);
  };
  for (const auto& c : returned_of(e)) {
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
}

difference_merge::decision difference_merge::decide(byte_view key, const entry& e) const {
  decision d{.key = key};
  const auto of_members = best_of_members(e);
  auto s = of_members;
  if (e.returned.size > 0) {
    let_returners_compete(e, of_members, s, d);
    let_strangers_bring(e, of_members, s, d);
    let_parts_compete(key, e, s, d);
  }
  if (s.best)
    if (const auto h = kept_header(s.winner.header, !s.winner.data.empty(), all_here_))
      d.winner = record_view{key, *h, s.winner.data};
  d.lack = who_lacks(e, d.winner);
  d.written = !mutated(mutant::written_is_known_to_one) &&
              std::ranges::any_of(changed_of(e), &copy::written);
  return d;
}

std::vector<pnn> difference_merge::who_lacks(const entry& e,
                                             const std::optional<record_view>& winner) const {
  const auto lacks = [&](const copy& c) {
    return c.there != winner.has_value() || (c.there && !same(c.record, *winner));
  };
  std::vector<pnn> lack;
  for (const auto& c : changed_of(e))
    if (lacks(c)) lack.push_back(c.from);
  // What is known to be beaten is not the winner. Who never had what is gone is told of it all the same: nobody else may
  // know any more that it was touched, when a node comes back that still has it.
  const copy* base = base_of(e);
  const bool all_are_told = !winner && e.changed.size > 0 && !mutated(mutant::gone_is_known_to_one);
  if (e.changed.size < members_.size() && (!base || all_are_told || lacks(*base)))
    std::ranges::copy(without(e), std::back_inserter(lack));
  for (const auto& b : behind_) {
    if (b.stranger) continue;
    const auto has = std::ranges::find(returned_of(e), b.node, &copy::from);
    if (has == returned_of(e).end() || lacks(*has)) lack.push_back(b.node);
  }
  std::ranges::sort(lack);
  return lack;
}

}  // namespace floe
