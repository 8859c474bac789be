#pragma once
/// The recovery of one database (protocol/rules/db_recovery.hpp) in a rule script, and nodes that play their parts: by
/// default each does at once what it is asked for.
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "protocol/rules/db_recovery.hpp"
#include "tests/rules/verbs/played_machine.hpp"

namespace floe::rule_script {

/// What a node does in one phase instead of obeying.
struct behaviour {
  enum class kind : std::uint8_t { answers, fails, silent };
  pnn node{0};
  db_phase phase{};
  kind does{};
  failure_cause cause{};
  std::string detail{};
  duration takes{};          ///< until it has failed
  db_event::answered how{};  ///< number, text, whole: where it answers, but otherwise than usual
  unsigned left = ~0U;       ///< so many times
};

struct db_recovery_machine final : played_machine {
  explicit db_recovery_machine(world& w) : now(w.now) {}

  db_recovery m;
  db_plan plan{};
  std::string name = "locking.tdb";
  std::uint64_t records = 3;      ///< that each node has
  std::uint64_t to_push = 5;      ///< that the merge leaves
  std::vector<db_lack> lack;      ///< what a merge by difference leaves to each node
  std::vector<pnn> ask;           ///< whose copies such a merge needs
  bool too_many = false;          ///< of them for one request
  std::map<pnn, db_copy> copies;  ///< as they stand
  std::vector<behaviour> others;
  std::deque<db_output> pending;  ///< not played yet
  time_point& now;

  bool feed(words&, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override;

  void put(const db_input&, std::string& out);
  bool has_pending() const override { return !pending.empty(); }
  void play_next(std::string& out) override;
  /// The phases and who was asked, a line for each try.
  std::string path() override;
  std::string_view phase() const override { return floe::name(m.phase()); }
  std::span<const evidence> failures() const override { return m.failures(); }

 private:
  void answer(const db_effect::ask&, pnn, std::string& out);
};

}  // namespace floe::rule_script
