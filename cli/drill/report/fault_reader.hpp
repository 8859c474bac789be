#pragma once
/// Which faults a run had, from when to when, read from its trace. A fault begins with the line of the script that makes it,
/// and ends as the row of its verb says (verb::fault): the node starts or goes on, the network is whole again, the ban is
/// lifted. What is still open when the script is over ends there.
#include <set>
#include <string>
#include <vector>

#include "cli/drill/language/verb.hpp"
#include "cli/drill/report/run_record.hpp"
#include "cli/drill/report/trace_line.hpp"

namespace floe::cli::drill {

class fault_reader {
 public:
  void line(const trace_line&);
  /// In the order of their beginnings.
  std::vector<run_fault> finish(std::int64_t end_us);
  /// Those that have not ended, in words.
  std::vector<std::string> open() const;

 private:
  struct fault {
    run_fault told;
    std::string verb, object;
    fault_end ends = fault_end::at_once;
    std::set<std::uint32_t> nodes;  ///< that it was done to
    std::set<std::uint32_t> still;  ///< those of them that are not back
    bool open = true;
  };
  void played(std::int64_t t, std::string_view statement);
  void done(std::int64_t t, const done_to_node&);
  void undo(std::int64_t t, std::string_view verb, std::string_view object);
  void end_all(std::int64_t t, bool (*which)(const fault&));

  std::vector<fault> all_;
  bool naming_ = false;  ///< what is done to nodes now belongs to the last fault
  bool over_ = false;
};

}  // namespace floe::cli::drill
