#pragma once
/// JUnit's XML, which CI systems read: test suites with their cases.
#include <string>
#include <vector>

#include "cli/report/run_record.hpp"

namespace floe::cli {

struct junit_case {
  std::string name;
  double seconds = 0;
  bool good = true;
  std::string why;     ///< of a failure: one line
  std::string detail;  ///< more lines
};
struct junit_suite {
  std::string name;
  std::vector<junit_case> cases;
};

std::string junit_xml(const std::vector<junit_suite>&);
/// A case for each check, and one for the verdict.
junit_suite suite_of(const run_record&);

}  // namespace floe::cli
