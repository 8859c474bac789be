#pragma once
/// All that is told of one run, of a drill or of a real cluster: the timeline, faults, checks,
/// throughput. From it come the page, the JSON that is kept and compared, JUnit's XML and a trace
/// for Perfetto. Times are microseconds on one clock.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/timeline/picture.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {

struct run_node {
  pnn node{0};
  std::string kind;  ///< "floe" or "ctdbd"
};
struct run_fault {
  std::int64_t from_us = 0, to_us = 0;  ///< equal: it lasts until the end or has no duration
  std::string what;
  /// What it cost a client: the longest wait that went on between it and the next fault, from the fault on.
  std::int64_t longest_wait_us = 0;
};
struct run_check {
  std::int64_t t_us = 0;
  std::string what;
  bool good = false;
  std::string detail;
  double seconds = 0;  ///< how long it took to come true
};
/// Finished client operations in equal stretches of time, from the beginning on.
struct run_throughput {
  std::int64_t bucket_us = 100'000;
  std::vector<std::uint32_t> done, failed;
  std::vector<std::uint32_t> waiting;  ///< begun and not finished at the end of the stretch
};
/// A client that holds a lock or waits for an answer, or a record that is on its way.
struct run_use {
  std::string what;  ///< "holds", "waits", "migrates"
  std::string who, db, key;
  pnn node{0};
  std::int64_t from_us = 0, to_us = 0;
  std::string end;  ///< "", "refused", "unknown"
};
struct run_line {
  std::int64_t t_us = 0;
  std::string who, text;
};

struct run_record {
  std::string title;
  std::string story;  ///< the opening comments of a drill
  std::string mode;   ///< "sim", "real", "cluster"
  std::optional<std::uint64_t> seed;
  std::optional<bool> good;  ///< the verdict; none: nothing was judged
  std::string reason;
  std::vector<run_node> nodes;
  timeline_picture picture;
  std::vector<run_fault> faults;
  std::vector<run_check> checks;
  run_throughput throughput;
  std::vector<run_use> uses;                            ///< those that took long enough to be seen
  std::map<std::string, std::int64_t> longest_wait_us;  ///< of a client for a record, by database
  std::int64_t zero_us = 0;                             ///< what is called 0 s
  std::vector<run_line> trace;                          ///< only on the page
  std::uint64_t trace_left_out = 0;  ///< lines at its beginning that were too many
};

/// When a database could not be used somewhere.
struct unavailability {
  std::string db;
  std::int64_t longest_us = 0;            ///< in one piece, on one node
  pnn node{0};                            ///< that node
  std::int64_t total_us = 0;              ///< on any node
  std::vector<std::int64_t> by_fault_us;  ///< `total_us` between each fault and the next
  std::int64_t longest_wait_us = 0;       ///< of a client for a record of it
};
/// The worst first.
std::vector<unavailability> unavailable_times(const run_record&);

/// One object's members; `schema` comes from open_json.
void put_record(wire::json_writer&, const run_record&);

/// One self-contained page for a browser.
std::string html_page(const run_record&);
/// The same of a run's JSON.
std::string page_of(std::string json);
/// The JSON of chrome://tracing, which Perfetto opens: a process per database, a thread per node.
std::string perfetto_trace(const run_record&);

}  // namespace floe::cli
