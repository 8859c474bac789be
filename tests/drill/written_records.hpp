#pragma once
/// A history of records that is written line by line, and what checkers say of it.
#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

/// A history written line by line; times in milliseconds.
struct written_records {
  history h;
  observations s;

  std::size_t op(op_kind k, const std::string& who, std::size_t node, time_us begin, time_us end,
                 const std::string& value, op_end result = op_end::done,
                 std::size_t under = static_cast<std::size_t>(-1)) {
    return h.begin({.kind = k,
                    .client = who,
                    .node = node,
                    .db = "a.tdb",
                    .key = "k",
                    .value = value,
                    .under = under,
                    .begin = begin * 1000,
                    .end = end * 1000,
                    .result = result});
  }
  std::size_t lock(const std::string& who, std::size_t node, time_us begin, time_us end,
                   const std::string& saw, std::uint64_t rsn = 0) {
    const auto i = op(op_kind::lock, who, node, begin, end, saw);
    h.ops[i].rsn = rsn;
    h.holdings[i] = {i, end * 1000, never};
    return i;
  }
  std::size_t store(std::size_t lock, time_us begin, time_us end, const std::string& value,
                    op_end result = op_end::done) {
    const auto holder = h.ops[lock];
    h.holdings[lock].to = begin * 1000;
    return op(op_kind::store, holder.client, holder.node, begin, end, value, result, lock);
  }
  std::size_t erase(std::size_t lock, time_us begin, time_us end) {
    const auto holder = h.ops[lock];
    h.holdings[lock].to = begin * 1000;
    return op(op_kind::erase, holder.client, holder.node, begin, end, "", op_end::done, lock);
  }
  void read(std::size_t node, time_us begin, time_us end, const std::string& saw) {
    op(op_kind::read, "r", node, begin, end, saw);
  }
  void wipe(std::size_t node, time_us begin, time_us end) {
    h.begin({.kind = op_kind::wipe,
             .client = "drill",
             .node = node,
             .db = "a.tdb",
             .begin = begin * 1000,
             .end = end * 1000,
             .result = op_end::done,
             .everywhere = true});
  }
  std::size_t broken(const checker& c) const {
    std::size_t n = 0;
    for (const auto& f : c.check(h, s)) n += f.broken;
    return n;
  }
  std::size_t explained(const checker& c) const { return c.check(h, s).size() - broken(c); }
};

}  // namespace floe::cli::drill
