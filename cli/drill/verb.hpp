#pragma once
/// A verb of the drill language as data. To add one: a file in verb/ with a function that returns
/// it, a line in verbs.cpp. Help, errors and the reference follow from the rows.
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "cli/drill/words.hpp"

namespace floe::cli::drill {

/// Nothing, or why the drill has failed.
using outcome = std::expected<void, std::string>;
using action = std::function<outcome(stage&)>;
/// Whether it holds; if not, what is instead.
using test = std::function<outcome(stage&)>;

struct verb {
  enum class kind : std::uint8_t {
    plain,
    cluster,  ///< the first line
    repeat,   ///< opens a block
    one_of,   ///< opens a block
    either,   ///< between the choices of one_of
    end,      ///< of a block
  };
  const char* name;
  const char* group;
  const char* arguments;
  const char* summary;
  const char* example;
  action (*read)(words&) = nullptr;  ///< plain ones
  kind is = kind::plain;
  bool of_client = false;  ///< stands behind the name of a client
};

/// What can be waited for and expected.
struct condition {
  const char* form;
  const char* summary;
  const char* example;
};

const std::vector<verb>& all_verbs();
const std::vector<condition>& all_conditions();
/// Reads a condition to the end of the line.
test read_condition(words&);

/// Does it for every node of the list.
action for_each_node(std::vector<node_ref>, std::function<outcome(stage&, std::size_t)>);

inline outcome failed_because(std::string why) { return std::unexpected(std::move(why)); }

}  // namespace floe::cli::drill
