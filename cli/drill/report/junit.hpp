#pragma once
/// JUnit's XML, which CI systems read: test suites with their cases.
#include <string>
#include <vector>

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

}  // namespace floe::cli
