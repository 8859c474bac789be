#pragma once
/// What a story prints while it plays: one line for each thing that was expected, with the time it
/// took; a bar for what takes long. With --json nothing until the end.
#include <string>
#include <string_view>
#include <vector>

namespace floe::wire {
class json_writer;
}

namespace floe::cli {

class story_report {
 public:
  explicit story_report(bool silent) : silent_(silent) {}

  void title(std::string_view text);
  /// The heading of a step; what follows belongs to it.
  void step(int number, std::string_view text);
  /// Something that has to hold. `ms` < 0: no time to tell. Returns `held`.
  bool expect(bool held, std::string_view text, double ms = -1);
  /// Words between the lines.
  void say(std::string_view text);
  /// On a terminal only; `finished` of `all`.
  void progress(std::string_view what, std::size_t finished, std::size_t all);

  bool everything_held() const { return all_held_; }
  void put(wire::json_writer&) const;  ///< "steps": [...]

 private:
  struct line {
    int step;
    std::string text;
    bool held;
    double ms;
  };
  void clear_progress();
  bool silent_;
  bool all_held_ = true;
  bool bar_shown_ = false;
  int step_ = 0;
  std::size_t last_percent_ = 1000;
  std::vector<line> lines_;
};

}  // namespace floe::cli
