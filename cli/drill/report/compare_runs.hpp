#pragma once
/// Two runs side by side: floe and ctdbd, before and after.
#include <expected>
#include <string>
#include <vector>

#include "protocol/wire/json.hpp"

namespace floe::cli {

struct compared_figure {
  std::string what;
  double a = -1, b = -1;  ///< negative: this run has none
  std::string unit;       ///< "ms", "/s"
  bool less_is_better = true;
  /// How many times better B is; 0 where it cannot be told.
  double ratio() const;
  /// B is worse by more than that, and by more than a machine that does other things accounts for.
  bool worse_by(double percent) const;
};
struct compared_runs {
  std::string a, b;  ///< title, mode, seed, verdict, in words
  bool a_good = false, b_good = false;
  std::vector<compared_figure> figures;
  /// What is worse in B; its verdict, too.
  std::vector<std::string> worse_by(double percent) const;
};

/// From the JSON of two runs (put_record). The error says what is wrong with which.
std::expected<compared_runs, std::string> compare_runs(const std::string& a, const std::string& b);

/// An aligned table.
std::string comparison_text(const compared_runs&);
/// The members of a JSON answer.
void put_comparison(wire::json_writer&, const compared_runs&);
/// A page with the table and both runs' pages, from the same JSON.
std::string comparison_page(const compared_runs&, const std::string& a, const std::string& b);

}  // namespace floe::cli
