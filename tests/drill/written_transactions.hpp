#pragma once
/// A history of transactions that is written line by line, and what checkers say of it.
#include <map>
#include <set>
#include <string>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

using records = std::map<std::string, std::string>;

/// A recovery of the database that is written to, which these nodes committed at the same time.
inline database_recovery recovered(std::uint32_t generation, time_us at,
                                   const std::set<std::size_t>& from,
                                   const std::set<std::size_t>& by, time_us committed) {
  database_recovery r{.db = "p.tdb", .generation = generation, .at = at, .from = from};
  for (const auto node : by) r.committed[node] = committed;
  return r;
}

struct written_transactions {
  history h;
  observations s;

  written_transactions() { h.transactional.insert("p.tdb"); }
  std::size_t commit(std::size_t node, time_us begin, time_us end, records seen, records writes,
                     std::uint64_t seqnum = 0, op_end result = op_end::done) {
    h.transactions.push_back({.client = "c",
                              .node = node,
                              .db = "p.tdb",
                              .writes = std::move(writes),
                              .seen = std::move(seen),
                              .seqnum = seqnum,
                              .begin = begin * 1000,
                              .end = end * 1000,
                              .result = result});
    return h.transactions.size() - 1;
  }
  void look(std::size_t node, time_us begin, time_us end, records seen) {
    commit(node, begin, end, std::move(seen), {});
  }
  void rest(std::size_t node, const std::string& key, const std::string& value) {
    read(node, 900, 901, key, value);
    h.ops.back().final_look = true;
  }
  void rest(const records& content) {
    for (const auto& [key, value] : content)
      for (std::size_t n = 0; n < 3; ++n) rest(n, key, value);
  }
  void read(std::size_t node, time_us begin, time_us end, const std::string& key,
            const std::string& value) {
    h.begin({.kind = op_kind::read,
             .client = "r",
             .node = node,
             .db = "p.tdb",
             .key = key,
             .value = value,
             .begin = begin * 1000,
             .end = end * 1000,
             .result = op_end::done});
  }
  std::size_t broken(const checker& c) const {
    std::size_t n = 0;
    for (const auto& f : c.check(h, s)) n += f.broken;
    return n;
  }
  std::size_t explained(const checker& c) const { return c.check(h, s).size() - broken(c); }
  void nothing_is_broken() const {
    for (const auto& c : all_checkers()) {
      CAPTURE(std::string(c.name));
      CHECK(broken(c) == 0);
    }
  }
};

}  // namespace floe::cli::drill
