#pragma once
/// What a verb of Samba's `ctdb` tool is called here, for those that have another name or none: asked for by whoever
/// types the old one. README.md has these verbs in a table; a test asks for each of them.
#include <string_view>

namespace floe::cli {

struct successor {
  std::string_view verb;     ///< of ctdb
  std::string_view instead;  ///< one sentence
};
/// Empty if ctdb has no such verb, or it is called the same here.
std::string_view successor_of(std::string_view verb);

}  // namespace floe::cli
