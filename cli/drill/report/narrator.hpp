#pragma once
/// A run told while it is played, for people: each part of the script under its heading, each line with whether it held and how
/// long it took. With `silent` nothing is printed, and told afterwards.
#include <cstdint>
#include <string>
#include <vector>

namespace floe::cli::drill {

class drill_run;
struct script;
struct statement;
struct verdict;

struct told_step {
  std::size_t part = 0;  ///< counted from 1; 0: before the first heading
  std::string text;      ///< the line of the script
  bool held = false;
  double ms = 0;
};

class narrator {
 public:
  explicit narrator(bool silent) : silent_(silent) {}

  void begin(const script&, drill_run&);
  /// A line is about to be played, so the one before it held.
  void played(const statement&);
  /// The last line has been played, or one has failed.
  void over(bool held) { finish_step(held); }
  /// The cluster has been looked at afterwards.
  void end(const verdict&);

  const std::vector<told_step>& steps() const { return steps_; }

 private:
  void finish_step(bool held);
  void say(const std::string&) const;

  bool silent_;
  drill_run* run_ = nullptr;
  std::size_t part_ = 0;
  std::string line_;  ///< being played; empty: none is
  std::int64_t since_us_ = 0;
  std::vector<told_step> steps_;
};

}  // namespace floe::cli::drill
