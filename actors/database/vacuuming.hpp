#pragma once
/// The vacuuming of one database: deleted records are forgotten, on all nodes, while everybody works. When and in which order:
/// protocol/rules/vacuum.hpp. A run goes on in slices of a few dozen records, a millisecond apart, so that nobody waits for it.
///
/// Files: vacuuming.cpp (what is to be done, and the runs), vacuum_agreement.cpp (before a record is forgotten everybody
/// else must agree: asking them, and being asked).
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "actors/database/database_port.hpp"
#include "actors/database/read_only_copies.hpp"
#include "actors/database/record_keeper.hpp"
#include "actors/database/vacuum_work.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {

class vacuuming {
 public:
  vacuuming(const database_port& port, record_keeper& records, read_only_copies& copies)
      : port_(port), records_(records), copies_(copies) {}

  void set(const vacuum_settings&);

  // Every store and every erasure of a record of this node comes by here.
  void stored(byte_view key, const record_header&, bool empty);
  void erased(byte_view key);
  /// A deleted record has come here that no client of this node has asked for.
  void came_home(byte_view key);
  /// A record that was brought here to be forgotten is here.
  void fetched(const bytes& key);
  /// Nobody knows what is in the queue and what not, and what others have agreed to was agreed by members of another
  /// generation.
  void recovered();

  void schedule_for_deletion(db_control&);
  void fetch(db_control&);
  void run_on_request(db_control&);
  void try_delete_records(db_control&);

  void on(const db_vacuum_time&);
  void on(const db_vacuum_slice&);
  void on(const db_vacuum_answer&);

  void report(database_report&) const;
  const latency_counter& run_latency() const { return work_.run_latency; }
  void reset_counters() { work_.run_latency = {}; }

 private:
  bool of_volatile() const { return port_.config.kind == db_kind::volatile_db; }
  bool may_run() const;
  void wind_clock();
  void begin(bool full, std::size_t left);
  void soon();
  time_point end_of_slice() const;
  void slice_later();
  /// False: there are too many to be remembered, and a run that looks at all records will find it.
  bool add(deletion_queue& to, byte_view key, time_point since, unsigned refusals = 0);
  void slice();
  void look_for_deleted();
  void fetch_some();
  void one(deletion_queue::entry, std::map<pnn, rec_buffer_builder>& to_ctdbd);
  void give_home(const bytes& key, pnn home);
  void end();
  void compact_if_due();
  std::optional<deleted_record> deleted_here(byte_view key);

  // vacuum_agreement.cpp
  void offer();
  std::optional<std::vector<pnn>> who_must_agree() const;
  void ask_others(vacuum_stage, std::vector<offered_deletion>, std::span<const pnn> others);
  void all_answered();
  void drop_some();
  void drop_last(offered_deletion);
  struct deletion_request;
  void try_to_delete(const std::shared_ptr<deletion_request>&);
  bool delete_as_offered(const rec_data&);

  const database_port& port_;
  record_keeper& records_;
  read_only_copies& copies_;
  vacuum_work work_;
  std::vector<offered_deletion> agreed_;  ///< to be dropped here, after all others; from the end
};

}  // namespace floe
