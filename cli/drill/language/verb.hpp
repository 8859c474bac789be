#pragma once
/// A verb of the drill language as data. To add one: a row in the file of its matter in verb/, with the function that reads
/// its line. Help, errors, what is told of it as a fault, and the hunter's use of it follow from the row. (A new matter: a
/// file, in verb/all.hpp, verbs.cpp and meson.build.) What not every testbed can do a line asks for (line_parser::needs). What it
/// does to the cluster is undone at the end of every run, in drill_run::undo_faults.
#include <expected>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/drill/language/line_parser.hpp"

namespace floe::cli::drill {

class drill_run;

/// Nothing, or why the drill has failed.
using outcome = std::expected<void, std::string>;
using action = std::function<outcome(drill_run&)>;
/// Whether it holds; if not, what is instead.
using test = std::function<outcome(drill_run&)>;

/// Until when a fault lasts that a line with the verb makes.
enum class fault_end : std::uint8_t {
  no_fault,
  at_once,       ///< it is over when it is done
  node_runs,     ///< until the nodes that it was done to are started
  node_goes_on,  ///< until they go on, or are killed
  heal,          ///< until the network is healed
  undone,        ///< until a line undoes it, for the time that it names itself, or to the end
  ends_others,   ///< it makes none: what it does ends others, and the run says so when it is done
};

/// What is told of lines with the verb as faults (report/fault_reader.hpp).
struct told_fault {
  fault_end ends = fault_end::no_fault;
  const char* undoes = nullptr;     ///< the verb whose faults it ends, on the nodes that it names
  const char* mended_by = nullptr;  ///< the last word of a line that ends its own: "good"
  const char* passing = nullptr;    ///< what it does with this word is over at once
};

struct verb {
  enum class kind : std::uint8_t {
    plain,
    cluster,  ///< the first line
    repeat,   ///< opens a block
    one_of,   ///< opens a block
    either,   ///< between the choices of one_of
    end,      ///< of a block
    attempt,  ///< stands before another verb
  };
  const char* name;
  const char* group;
  const char* arguments;
  const char* summary;
  const char* example;
  action (*read)(line_parser&) = nullptr;  ///< plain ones
  kind is = kind::plain;
  bool of_client = false;  ///< stands behind the name of a client
  told_fault fault{};
  /// What a random use of it looks like, in drills that the program writes by itself; none: it has no place there.
  /// Words in braces are filled in (hunt/pattern.hpp).
  std::vector<const char*> uses{};
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
test read_condition(line_parser&);

inline outcome failed_because(std::string why) { return std::unexpected(std::move(why)); }

}  // namespace floe::cli::drill
