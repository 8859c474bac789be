#pragma once
/// The words of one line of a drill, taken from the left. The first thing that is not as expected is
/// the line's error; what is taken after it is empty, so that a verb reads its line in one go and
/// looks for an error at the end.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/drill/language/ability.hpp"
#include "cli/drill/language/node_ref.hpp"
#include "protocol/rules/time.hpp"

namespace floe::cli::drill {

/// What the lines above have introduced.
struct scope {
  std::size_t nodes = 3;
  std::vector<std::string> databases, clients, node_names;
  std::set<std::string> transactional;  ///< databases that are persistent or replicated
  std::set<std::size_t> deleted;        ///< nodes
  std::set<std::pair<std::string, std::string>>
      transacted;  ///< database and KEY=VALUE: values are written once
  bool cluster_lock = false;
  bool knows_client(std::string_view name) const;
};

class line_parser {
 public:
  line_parser(std::vector<std::string> all, scope& s) : names(s), all_(std::move(all)) {}

  scope& names;

  bool at_end() const { return error_ || next_ == all_.size(); }
  const std::optional<std::string>& error() const { return error_; }
  void fail(std::string why);
  /// What was expected, and what stands there instead.
  void miss(std::string_view expected);

  /// Takes the word if it is this one.
  bool take(std::string_view word);
  void expect(std::string_view word);
  std::string_view peek() const { return at_end() ? std::string_view() : all_[next_]; }
  std::string word(std::string_view what);
  duration time();
  std::uint64_t count(std::uint64_t least, std::uint64_t most, std::string_view what);
  double percent();
  std::uint64_t size();  ///< "200", "20kB", "1MB"
  node_ref node(bool or_deleted = false);
  std::vector<node_ref> nodes(bool or_deleted = false);  ///< "0,1", "leader", "all"
  std::string database();                                ///< one that is attached
  /// One whose records are locked and written one by one, or one that is written by transactions.
  std::string volatile_database();
  std::string transactional_database();
  std::string client();
  /// "name=value" words up to the end, as pairs; which names there are is for the verb to say.
  std::vector<std::pair<std::string, std::string>> settings();
  void end();

  /// The line can be played only where this can be done.
  void needs(ability a) { needed_.push_back(a); }
  const std::vector<ability>& needed() const { return needed_; }

 private:
  std::vector<std::string> all_;
  std::size_t next_ = 0;
  std::optional<std::string> error_;
  std::vector<ability> needed_;
};

std::optional<std::uint64_t> parse_count(std::string_view);
/// Whether it names a node by itself: a number, leader, follower, any, it, all.
bool is_node_word(std::string_view);

}  // namespace floe::cli::drill
