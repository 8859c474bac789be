#pragma once
/// A process of its own, `floe client`, that does what we write to it: a client that can hold
/// locks, and be seen, as an smbd would be.
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "actors/runtime/event_loop.hpp"

namespace floe::cli {

class line_input;

class puppet {
 public:
  struct answer {
    std::string line;  ///< the verb it answers
    bool ok = false;
    std::string result, error, value;
    std::int64_t t_us = 0;
    double ms = 0;
  };

  static std::expected<std::unique_ptr<puppet>, std::string> start(event_loop&,
                                                                   const std::string& base,
                                                                   const std::string& name);
  ~puppet();  ///< ends it
  puppet(const puppet&) = delete;

  pid_t pid() const { return pid_; }
  void tell(const std::string& line);
  /// All so far.
  const std::vector<answer>& answers() const { return answers_; }
  /// The last answer to this line, if there is one.
  const answer* answer_to(const std::string& line) const;

 private:
  puppet() = default;
  void hear(const std::string& json);
  pid_t pid_ = 0;
  int to_ = -1, from_ = -1;
  std::unique_ptr<line_input> input_;
  std::vector<answer> answers_;
};

}  // namespace floe::cli
