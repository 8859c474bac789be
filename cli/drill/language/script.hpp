#pragma once
/// A drill, read and checked as a whole before anything is played.
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cli/drill/language/verb.hpp"
#include "protocol/rules/quorum.hpp"

namespace floe::cli::drill {

struct statement {
  unsigned line = 0;
  std::string text;
  std::string heading{};  ///< the comment right above it, in one line: what begins here
  verb::kind is = verb::kind::plain;
  action act = nullptr;
  std::vector<ability> needs{};                  ///< what the testbed must be able to do
  bool may_fail = false;                         ///< `try`
  std::uint64_t times = 1;                       ///< repeat
  std::vector<std::vector<statement>> blocks{};  ///< repeat: one; one of: one for each choice
};

struct script {
  std::string name;   ///< the file as it was given
  std::string title;  ///< the first line of its story
  std::string story;  ///< the comments at its head
  std::size_t nodes = 3;
  std::uint64_t seed = 1;
  double patience = 1;  ///< limits of `within` are so many times longer than they stand there
  bool cluster_lock = false;
  quorum_rule quorum = quorum_rule::lock;
  bool freeze_all = false;  ///< recoveries freeze all databases before they go on with any
  duration bound{std::chrono::seconds(60)};  ///< NORMAL so long after the last fault
  std::vector<std::pair<std::string, std::uint32_t>> tunables{};
  std::string cluster{};  ///< its first line, as it stands there; empty: there is none
  std::vector<statement> body{};
};

/// Errors are one line for each mistake: "FILE:LINE: what was expected".
std::expected<script, std::string> read_script(const std::string& name, std::string_view text);

}  // namespace floe::cli::drill
