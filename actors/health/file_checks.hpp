#pragma once
/// Is the file of a persistent database sound? A damaged one can kill the process that reads it, so
/// the real check is made by a child; a simulation decides for itself.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/runtime/event_loop.hpp"
#include "storage/health.hpp"

namespace floe {

using file_verdict = std::expected<health_report, store_error>;

class file_checks {
 public:
  virtual ~file_checks() = default;
  /// `done` is called on the loop, between turns of actors; within a time that grows with the file.
  virtual void check(const std::string& file, std::function<void(file_verdict)> done) = 0;
};

/// By children that come to health_child(); `command` is completed with the file's name. Their time
/// is so generous that only a file that cannot be read exceeds it: who exceeds it counts as
/// damaged.
std::unique_ptr<file_checks> child_file_checks(event_loop&, std::vector<std::string> command);

}  // namespace floe
