#pragma once
/// Makes the record of a run of a drill: from its trace, line by line, and at the end from the
/// history of its clients.
#include <deque>
#include <map>
#include <string_view>

#include "cli/drill/checker/history.hpp"
#include "cli/drill/report/fault_reader.hpp"
#include "cli/drill/report/run_record.hpp"
#include "cli/drill/report/trace_line.hpp"
#include "cli/drill/run/play.hpp"

namespace floe::cli::drill {

class run_recorder {
 public:
  /// The trace itself is only kept for a page.
  explicit run_recorder(bool keep_trace) : keep_trace_(keep_trace) {}
  void line(std::string_view trace);
  /// After the last line, while the history is there.
  void end_with(const history&);
  run_record finish(const script&, const verdict&);

 private:
  void take(timed_event);
  void process(std::int64_t t, std::uint32_t node, std::string_view from, std::string_view to);
  void played(std::int64_t t, const played_statement&);
  void draw(std::size_t nodes);
  void feel_faults();
  void choose_uses();
  void end_check(std::int64_t t, bool good, std::string_view why);

  bool keep_trace_;
  std::deque<run_line> trace_;
  std::uint64_t left_out_ = 0;
  std::vector<timed_event> events_;
  std::map<std::string, timed_event> lock_waits_;  ///< that are not over
  std::map<std::uint32_t, bool> down_;
  fault_reader faults_;
  std::vector<run_check> checks_;
  bool checking_ = false;
  std::int64_t story_from_ = -1, story_to_ = -1, last_us_ = 0, last_move_us_ = 0;
  std::vector<run_use> uses_;
  run_record made_;
};

}  // namespace floe::cli::drill
