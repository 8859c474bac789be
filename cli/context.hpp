#pragma once
/// What every command is given: the global options, the connection to the node that was named, and
/// the ways to say that something failed.
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/client/blocking_client.hpp"
#include "cli/exit_code.hpp"
#include "cli/waiting_line.hpp"
#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe::cli {

struct global_options {
  std::string base;    ///< a node's directory
  std::string socket;  ///< of the node; empty: the one in its directory
  std::string node;    ///< "", "2", "0,2" or "all"
  std::optional<double> timeout_s;
  bool json = false;
  std::string doing{};  ///< the command, for who waits for it
};

struct wanted_record {
  db_id db{};
  bytes key;
};

class context {
 public:
  explicit context(global_options o) : options(std::move(o)) {}

  const global_options options;

  /// For one question: -t, or 10 s.
  duration patience() const;
  /// For what may have to wait for a recovery: -t, or 2 minutes.
  duration long_patience() const;
  std::string socket_path() const;

  /// The connection; made at the first call. On failure the error is printed and its exit code
  /// returned.
  std::expected<blocking_client*, exit_code> node();
  /// The nodes that -n names; without it the node we are connected to.
  std::expected<std::vector<pnn>, exit_code> targets() { return targets(options.node); }
  /// Those that a text names as -n does.
  std::expected<std::vector<pnn>, exit_code> targets(const std::string& names);
  /// The one node that -n names, for commands that can only ask one.
  std::expected<pnn, exit_code> target();

  /// Which record the command is about, so that fail() can say who holds it.
  void wants(db_id db, bytes key) { wanted_ = {db, std::move(key)}; }

  /// From now on it is meant to last, and nobody is told that it does.
  void takes_its_time() { waits_.reset(); }

  /// Prints one line, "floe: WHAT: WHY; HINT", and returns the exit code for it. If nobody has answered in time, the
  /// nodes are asked what is wrong.
  exit_code fail(std::string_view what, const client_error&) const;
  exit_code fail(std::string_view why) const;
  exit_code misused(std::string_view why) const;

  /// Who holds the record that is wanted, or what else keeps the node from answering; empty: nobody knows.
  std::string cause_of_silence(pnn asked) const;

 private:
  mutable std::optional<blocking_client> node_;  ///< also asked why something has failed
  std::optional<waits_shown> waits_;
  std::optional<wanted_record> wanted_;
};

/// One line on standard error, as the program prints all its errors: "floe: LINE", or {"schema":1,"error":"LINE"}. On a
/// terminal it is broken to its width.
void print_error(std::string_view line);
void print_errors_as_json();
/// "node 2", or "this node".
std::string node_text(pnn);

}  // namespace floe::cli
