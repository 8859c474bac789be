#pragma once
/// A machine of protocol/rules as a script sees it: events go in as words, what follows comes out as lines.
#include <string>
#include <string_view>
#include <vector>

#include "tests/rules/script/words.hpp"

namespace floe::rule_script {

class machine {
 public:
  virtual ~machine() = default;

  /// Feeds the event; false if the machine knows none of this name. What followed is appended to `out`, a line each.
  virtual bool feed(words& event, std::string& out) = 0;
  /// Where it stands, for the verb `state`.
  virtual std::string state() const = 0;
  virtual std::vector<std::string_view> events() const = 0;
};

}  // namespace floe::rule_script
