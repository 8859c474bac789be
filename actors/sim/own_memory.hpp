#pragma once
/// Memory of a process that plays one simulation and ends. Such a process asks for millions of small pieces, one after the
/// other on one thread; the general allocator took a fifth of its time. Here a piece is the next free one of its size, and
/// what was given back stays with its size until the process ends.
///
/// The program's operator new and delete are replaced (own_memory.cpp). Whoever has not called `use_own_memory`, as a node
/// does not, gets malloc's memory as before. Under sanitizers that watch memory nothing is replaced.
namespace floe {

/// From now on pieces that this thread asks for come from here. Nothing happens if the system has no addresses left.
void use_own_memory();

}  // namespace floe
