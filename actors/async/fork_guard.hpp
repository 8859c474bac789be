#pragma once
/// What the child of a fork must not have of its parent: descriptors of loops. As long as one of a connection is open in a
/// child, the node takes the parent for alive; and what a child changes in an epoll changes it for the parent.
///
/// In the child every descriptor that was added becomes one of /dev/null, so that whoever closes it later closes that.
/// Any thread may call anything here, and any thread may fork.
namespace floe::async_inside {

/// At the first call of a process it opens /dev/null; throws std::system_error if it cannot.
void guard_descriptor(int fd);
void unguard_descriptor(int fd);
/// Another number in the child of a fork.
unsigned fork_generation();

}  // namespace floe::async_inside
