#pragma once
/// Transactions in simulated clusters, and what every node's own copy says.
#include <doctest/doctest.h>

#include <map>
#include <optional>

#include "actors/client/transaction.hpp"
#include "protocol/types/database.hpp"
#include "tests/actors/ask.hpp"

namespace floe::test {

using contents = std::map<std::string, std::string>;

inline db_id attach_kind(sim_cluster& s, client& c, const std::string& name, db_kind kind) {
  const auto r = finish<db_id>(s, [&](auto done) { attach(c, name, kind, 30s, done); });
  REQUIRE(r.has_value());
  return *r;
}

inline transaction::ptr begin(sim_cluster& s, client& c, db_id db) {
  const auto t = finish<transaction::ptr>(
      s, [&](auto done) { transaction::start(c, db, transaction::mode::read_write, 60s, done); });
  INFO((t ? "" : t.error().describe()));
  REQUIRE(t.has_value());
  return *t;
}

inline void set(sim_cluster& s, const transaction::ptr& t, const std::string& key,
                const std::string& data) {
  const auto r = finish<void>(s, [&](auto done) { t->store(key, data, 30s, done); });
  INFO((r ? "" : r.error().describe()));
  REQUIRE(r.has_value());
}

/// All in one transaction.
inline commit_result commit_now(sim_cluster& s, client& c, db_id db, const contents& changes) {
  const auto t = begin(s, c, db);
  for (const auto& [k, v] : changes) set(s, t, k, v);
  const auto r = finish<commit_result>(s, [&](auto done) { t->commit(60s, done); });
  INFO((r ? "" : r.error().describe()));
  REQUIRE(r.has_value());
  return *r;
}

/// This node's own copies of these keys; deleted ones are left out.
inline contents here(sim_cluster& s, std::size_t node, db_id db,
                     const std::vector<std::string>& keys) {
  auto& c = s.connect(node);
  contents found;
  for (const auto& k : keys)
    if (const auto r = read_now(s, c, db, k, read_from::this_node); r.found) found[k] = r.data;
  s.disconnect(c);
  return found;
}

inline std::uint64_t seqnum(sim_cluster& s, std::size_t node, db_id db) {
  auto& c = s.connect(node);
  const auto r = answer_of<control::get_db_seqnum>(s, c, db_seqnum_request{db});
  s.disconnect(c);
  return r.value;
}

}  // namespace floe::test
