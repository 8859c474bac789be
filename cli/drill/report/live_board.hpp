#pragma once
/// What a run looks like at one moment, for people who watch it: nodes, databases with their
/// phases, who holds and who waits, records on their way, operations per second, the line of the
/// script that is being played. Read from the trace and from the history of the clients.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/drill/checker/history.hpp"
#include "cli/drill/report/fault_reader.hpp"
#include "cli/drill/report/trace_line.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {

class live_board {
 public:
  live_board(std::string drill, std::uint64_t seed, std::size_t nodes);
  void line(const trace_line&);
  /// At most `height` lines of at most `width` characters.
  std::vector<std::string> picture(const history&, time_us now, std::size_t width,
                                   std::size_t height, bool colours);

 private:
  struct node_state {
    enum class life { runs, paused, down } process = life::runs;
    bool active = false, speaks = false;
    std::string leader;
  };
  struct database_state {
    std::map<std::uint32_t, std::string> on;  ///< freeze state by node
    std::string phase;                        ///< of its recovery
    std::map<std::string, bool> waits;        ///< for locks; true: for a record on its way
  };
  static std::pair<const char*, style> shown(const node_state&);
  void take(const timed_event&);
  void node_lines(std::vector<std::string>&, bool colours) const;
  void database_lines(std::vector<std::string>&, const history&, bool colours) const;
  void client_lines(std::vector<std::string>&, const history&, time_us now) const;
  double rate(const history&, time_us now);

  std::string drill_;
  std::uint64_t seed_;
  std::string playing_;
  std::vector<node_state> nodes_;
  std::map<std::string, database_state> databases_;
  fault_reader faults_;
  struct sample {
    time_us at = 0;
    std::size_t ops = 0;
  };
  std::vector<sample> samples_;
};

/// So many characters of it; escape sequences take no room and stay whole.
std::string clipped(std::string_view line, std::size_t width);

}  // namespace floe::cli::drill
