#pragma once
/// Memory of a process that plays one simulation and ends. Such a process asks for millions of pieces, one after the
/// other on one thread; the general allocator took a fifth of its time. Here a piece is the next free one of its size, and
/// what was given back stays with its size until the process ends.
///
/// The program's operator new and delete are replaced (own_memory.cpp). Whoever has not called `use_own_memory`, as a node
/// does not, gets malloc's memory as before. Under sanitizers that watch memory nothing is replaced.
namespace floe {

/// From now on pieces that this thread asks for come from here. Nothing happens, and it says no, if the system has no
/// addresses left, or a sanitizer watches.
bool use_own_memory();

}  // namespace floe
