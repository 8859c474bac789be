#pragma once
/// A connection to the Unix socket of a node, before there is a channel over it; and waiting at a socket. All waits have a
/// limit of the caller's.
#include <string>

#include "actors/clib/failure.hpp"

namespace floe::clib {

/// The descriptor, which does not block. `as_root`: the calling thread acts as root while it connects, if it may.
outcome<int> connect_to(const std::string& socket, bool as_root, limit);

/// For poll's `events`. False at the limit. Signals are no reason to stop waiting.
bool wait_for(int fd, short events, const limit&);

/// "what: what errno says"
std::string words(const char* what, int error);

}  // namespace floe::clib
