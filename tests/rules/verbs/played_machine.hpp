#pragma once
/// A machine of a recovery in a script, with everybody around it played: what it asks for is done when a verb says so.
#include <span>
#include <string>
#include <string_view>

#include "protocol/rules/evidence.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

struct played_machine : machine {
  virtual bool has_pending() const = 0;
  /// Does the first thing that is pending. Effects that follow are appended to `out`.
  virtual void play_next(std::string& out) = 0;
  /// Starts it, if it has not been, and plays until nothing is left to do: what was done, in short.
  virtual std::string path() = 0;
  virtual std::string_view phase() const = 0;
  virtual std::span<const evidence> failures() const = 0;
};

}  // namespace floe::rule_script
