#pragma once
/// One line of a rule script, cut into words: a name, what stands there by its place, and options `name=value`. Text
/// with spaces is in double quotes. Whoever reads the line takes out what it knows; `finish` refuses the rest.
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace floe::rule_script {

/// A mistake in a script, in words for its author.
struct mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class words {
 public:
  explicit words(std::string_view line);

  const std::string& name() const { return name_; }
  /// The next word without "=", if there is one.
  std::optional<std::string> next();
  /// The same; a mistake that names `what` if there is none.
  std::string next(std::string_view what);
  /// The value of an option; nothing if it is not there.
  std::optional<std::string> option(std::string_view name);
  /// Takes the word `flag`, wherever it stands.
  bool flag(std::string_view flag);
  /// A mistake if anything was not taken.
  void finish() const;

 private:
  std::string name_;
  std::vector<std::string> placed_;
  std::map<std::string, std::string, std::less<>> options_;
};

}  // namespace floe::rule_script
