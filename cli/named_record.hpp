#pragma once
/// The record that a command is about: DB and KEY of its command line, at the node that it talks to. What is wrong with
/// them is printed here.
#include <expected>
#include <string>
#include <string_view>

#include "cli/command.hpp"
#include "cli/context.hpp"
#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe::cli {

struct named_record {
  blocking_client* node = nullptr;
  db_id db{0};
  bytes key;
  std::string what;  ///< "readkey locking.tdb mykey", for errors
};

/// `database`: what is meant by DB, if that is not its word.
std::expected<named_record, exit_code> open_record(context&, const arguments&,
                                                   std::string_view command,
                                                   std::string_view database = {});

}  // namespace floe::cli
