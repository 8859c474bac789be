#include "cli/drill/report/junit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace floe::cli {
namespace {

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

}  // namespace

std::string junit_xml(const std::vector<junit_suite>& suites) {
  const auto bad = [](const junit_suite& s) {
    return std::ranges::count(s.cases, false, &junit_case::good);
  };
  const auto seconds = [](const junit_suite& s) {
    double sum = 0;
    for (const auto& c : s.cases) sum += c.seconds;
    return sum;
  };
  std::size_t tests = 0;
  std::ptrdiff_t failures = 0;
  for (const auto& s : suites) {
    tests += s.cases.size();
    failures += bad(s);
  }
  auto out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"floe\" tests=\"{}\" "
      "failures=\"{}\">\n",
      tests, failures);
  for (const auto& s : suites) {
    out += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.3f}\">\n",
                       xml(s.name), s.cases.size(), bad(s), seconds(s));
    for (const auto& c : s.cases) {
      out += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", xml(s.name),
                         xml(c.name), c.seconds);
      if (c.good)
        out += "/>\n";
      else
        out += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                           xml(c.why), xml(c.detail));
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

}  // namespace floe::cli
