#pragma once
/// Read-only copies of a database's records: given, noted, called back, ended by recoveries. The rules, and why:
/// protocol/rules/read_only.hpp. A holder's side is in migration.cpp: a copy comes as the answer to a request.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/database/database_port.hpp"
#include "actors/database/lock_table.hpp"
#include "actors/database/record_keeper.hpp"
#include "protocol/rules/read_only.hpp"
#include "storage/key_set.hpp"

namespace floe {

class read_only_copies {
 public:
  read_only_copies(const database_port& port, record_keeper& records)
      : port_(port), records_(records) {}

  /// SET_DB_READONLY.
  void allow() { allowed_ = true; }
  bool is_wanted(const lock_waiter&, const lock_table::entry&) const;

  // ---- of records of ours ----
  void give(const bytes& key, const packet_header& request);
  bool is_calling_back(const bytes& key) const;
  /// True: there are none any more. Otherwise the queue of the key goes on when they are back.
  bool call_back(const bytes& key);
  /// Thawed: those that were called back while it was frozen.
  void end_call_backs();
  /// Why a request waits for copies; empty if it does not.
  std::string who_has(const bytes& key) const;

  // ---- all ----
  /// Every store of a record of this node comes by here.
  void note(byte_view key, const record_header&);
  /// Of records whose headers tell of copies, sorted.
  std::vector<bytes> keys() const;
  /// As if to have copies were no change of a record. Of a mutant.
  key_set without(const key_set&) const;
  /// What was called back, and by whom, is of before a recovery.
  void forget();

  void report(database_report&) const;
  std::uint64_t given() const { return given_; }
  std::uint64_t called_back() const { return called_back_; }
  void reset_counters() { given_ = called_back_ = 0; }

 private:
  void answered(const bytes& key, std::uint64_t attempt, pnn holder, bool gone);
  void not_given_back(const bytes& key, pnn holder, const std::string& why) const;
  bool end_call_back(const bytes& key);
  void look_later(const bytes& key);
  bool is_served() const { return port_.thawed() && port_.use == store_use::here; }

  const database_port& port_;
  record_keeper& records_;
  bool allowed_ = false;
  std::map<bytes, copies_out> out_;  ///< of records of ours
  std::set<bytes> here_;             ///< of records of others
  std::uint64_t given_ = 0, called_back_ = 0;
  std::uint64_t last_attempt_ = 0;  ///< to call copies back, of any record
};

}  // namespace floe
