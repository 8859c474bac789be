#pragma once
/// Failures of many seeds by what they have in common: the drill, and the line or the check at which it failed. The
/// first of a kind is told whole, the others by their seeds.
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/drill/run/play.hpp"

namespace floe::cli::drill {

class failure_kinds {
 public:
  /// True for the first of its kind.
  bool add(const std::string& drill, const verdict&);
  /// Most frequent first, one line each, with all seeds; empty if no kind has failed twice.
  std::string text() const;

 private:
  struct kind {
    std::string drill, reason;
    std::vector<std::uint64_t> seeds;
  };
  std::map<std::pair<std::string, std::string>, kind> kinds_;  ///< by drill and where it failed
};

}  // namespace floe::cli::drill
