#pragma once
/// The files that `floe drill run` leaves: page, record, Perfetto's trace of one run (the first
/// that failed, or else the first), and JUnit's XML of all. Runs write theirs to a place of this
/// process, as each is played in a process of its own; at the end the chosen one's get their names.
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/drill/run/planned_run.hpp"

namespace floe::cli::drill {

class result_files {
 public:
  struct names {
    wanted_files of_run;
    std::string junit;
  };
  /// The error is one line: a file that could not be written.
  static std::expected<result_files, std::string> open(const names&);
  result_files(result_files&&) = default;
  result_files& operator=(result_files&&) = delete;
  ~result_files();

  bool any() const { return names_.of_run.any() || !names_.junit.empty(); }
  /// Tells each run where to write.
  void plan(std::vector<planned_run>&) const;
  /// Run number `i` has ended so.
  void ended(std::size_t i, const verdict&);
  /// Of which run files have been written, if any; after the last has ended.
  std::expected<std::optional<std::size_t>, std::string> keep(const std::vector<planned_run>&);
  /// "out.html, out.json"
  std::string of_run_text() const;

 private:
  explicit result_files(names n) : names_(std::move(n)) {}
  wanted_files drafts(std::size_t i) const;
  void forget(std::size_t i) const;

  names names_;
  std::filesystem::path place_;
  std::optional<std::size_t> chosen_;
  bool chosen_failed_ = false;
  std::vector<std::pair<std::size_t, verdict>> all_;
};

}  // namespace floe::cli::drill
