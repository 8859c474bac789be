#pragma once
/// A drill that fails, made smaller: it fails in the same way, at the same line or by the same
/// checker.
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "cli/drill/language/script.hpp"

namespace floe::cli::drill {

struct shrink_options {
  std::uint64_t seed = 1;
  std::size_t jobs = 1;
  /// A shorter script makes other choices of the same seed; so many seeds are tried for it, from
  /// the one on with which the longer one fails.
  std::uint64_t tries = 3;
  /// What the smaller one will be called; empty: as the original.
  std::string name{};
};
struct shrunk_drill {
  std::string text;  ///< of a file; its cluster line names the seed
  std::uint64_t seed = 1;
  std::string failed_at;      ///< as the original
  std::string reason;         ///< of the smaller one, with the number of its line in `text`
  std::string reason_before;  ///< of the original, with the number of its line there
  std::size_t lines_before = 0, lines_after = 0, runs = 0;
};
/// Why there is no smaller one.
struct not_shrunk {
  bool interrupted = false;  ///< by a signal; else the drill holds
  std::string why;           ///< one line
};
/// What is told while it works: lines of the smallest so far, and how many runs it took.
using shrink_progress = std::function<void(std::size_t lines, std::size_t runs)>;

/// Takes as long as it takes; equal calls have equal results.
std::expected<shrunk_drill, not_shrunk> shrink(const script&, const shrink_options&,
                                               const shrink_progress&);

}  // namespace floe::cli::drill
