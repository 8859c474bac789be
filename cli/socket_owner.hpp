#pragma once
/// Why nobody answers on a node's socket, as far as the machine knows.
#include <string>

namespace floe::cli {

/// "its process 4711 is stopped: kill -CONT 4711"; a hint for people, never empty.
std::string why_no_answer(const std::string& socket);
/// This user may not connect there.
bool is_forbidden(const std::string& socket);
/// Somebody has stopped the process that listens there: it is no use to wait for it.
bool is_stopped(const std::string& socket);

}  // namespace floe::cli
