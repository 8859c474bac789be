#pragma once
/// What `floe health` reads from a node's report and prints: for the command, and for the program that answers it in a millisecond
/// (cli/launcher/). Needs no client, no loop and no parser of a command line.
#include <expected>
#include <string>
#include <vector>

namespace floe::cli {

struct health_answer {
  struct check {
    std::string name;
    bool good = false;
    std::string why;
  };
  std::vector<check> checks;
  bool good() const;
};

/// Options of GET_NODE_STATUS with which a floe node tells no more than is needed; others tell everything.
inline constexpr const char* only_health = R"({"health":true})";

/// Of the node, or of one of its databases, by name or id. The error is one line.
std::expected<health_answer, std::string> health_in(const std::string& report,
                                                    const std::string& database);
/// As a table, or as JSON.
void print_health(const health_answer&, bool json);

}  // namespace floe::cli
