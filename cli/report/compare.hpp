#pragma once
/// Two runs side by side: floe and ctdbd, before and after.
#include <expected>
#include <string>
#include <vector>

namespace floe::cli {

struct compared_figure {
  std::string what;
  double a = -1, b = -1;  ///< negative: this run has none
  std::string unit;       ///< "ms", "/s"
  bool less_is_better = true;
  /// How many times better B is; 0 where it cannot be told.
  double ratio() const;
};
struct compared_runs {
  std::string a, b;  ///< title, mode, seed, verdict, in words
  bool a_good = false, b_good = false;
  std::vector<compared_figure> figures;
};

/// From the JSON of two runs (put_record). The error says what is wrong with which.
std::expected<compared_runs, std::string> compare_runs(const std::string& a, const std::string& b);

/// An aligned table.
std::string comparison_text(const compared_runs&);

}  // namespace floe::cli
