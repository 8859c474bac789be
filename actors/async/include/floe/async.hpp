#ifndef FLOE_ASYNC_HPP
#define FLOE_ASYNC_HPP
/*
 * The asynchronous interface of floe for C++17: any number of requests to a cluster at once, by way of the node on this
 * machine, in a program that has an event loop or lets the library run one. Link with -lfloe-async (pkg-config floe-async).
 *
 *   floe::async::client node;
 *   node.connect({"/run/floe"}, {[&](std::uint32_t) {
 *     node.attach("visitors.tdb", floe::async::kind::any, 3s, [&](floe::async::result<std::uint32_t> db) {
 *       node.lock(*db, "alice", 10s, [](floe::async::result<floe::async::record_lock> lock) {
 *         if (lock) lock->store_and_unlock("was here", 3s, nullptr);
 *       });
 *     });
 *   }});
 *   node.run();                       // or: poll node.descriptor(), then node.process()
 *
 * Programs that do one thing after the other are better off with floe/client.hpp (libfloe-client), which blocks.
 *
 * Time: every request has a limit, a duration (milliseconds and coarser ones convert). It ends by its answer, by its limit
 * (errc::timed_out) or with the connection (errc::disconnected): exactly once, and never without end. Limits are kept by the
 * loop: while nobody calls process() or run() nothing ends. The node waits for record locks and says why they were not granted;
 * a node that does not answer at all is given five seconds more for those.
 *
 * Callbacks run within process() or a run function, on the thread that called it; never inside the call that started them,
 * and not at all once the client is destroyed. They may call everything but process() and the run functions, start new
 * requests, and destroy the client. Views that they are given (std::string_view, const references) live as long as the call.
 * What one throws comes out of process() or run(); the client stays usable, what had not been told yet is told in the next
 * call. When several throw in one turn, the first one is passed on. A callback may be empty (nullptr).
 *
 * What a call starts goes out in the next turn of the loop, an unlock by a destructor included: a program that holds locks
 * comes back to its loop.
 *
 * Errors: floe::async::error has a code for programs and a text for people. "There is no such record" is none. A request
 * that makes no sense whatever the cluster does (an empty key, a broadcast address where one node is asked, more than 64 MiB
 * at once) throws std::invalid_argument at once. Nothing else throws but std::bad_alloc and, when the system has no descriptors left,
 * std::system_error from the constructor and from process().
 *
 * Threads: a client and its locks and transactions are used by one thread at a time; post() and stop() by any. Different
 * clients are independent of each other: one for each thread is fine.
 *
 * fork: the child has nothing of its parent's. Descriptors of all clients are closed in the child at once, so that the node
 * sees the parent's end; there the client is not connected, process() and run() throw std::logic_error, requests are
 * never answered, and it can be destroyed. The parent notices nothing. exec closes all descriptors. (If another thread is
 * connecting at the very moment of the fork, the child may inherit that one socket until it ends or calls exec.)
 *
 * Lifetime: destroying a client cancels all that is under way, gives back its locks with the connection, and calls nobody.
 * Locks and transactions may outlive their client; they are void then. What callbacks captured is destroyed with it; in a
 * callback that destroys its client, when process() returns.
 *
 * A lost node: outstanding requests end with errc::disconnected, record locks are void, transactions cannot commit. With
 * options::reconnect the client tries again for ever; before `connected` is called again it has attached the same databases,
 * registered for the same messages, and opened the same tunnels.
 *
 * Versions: libfloe-async.so.0 keeps what is here; functions that come later get a later symbol version. Nothing
 * internal is installed: classes have one pointer to what the library knows. Values that are structures here (options, record, ...)
 * do not change before libfloe-async.so.1. The library brings the compiler's library and libc into a process, nothing else.
 *
 * Records need a floe node; controls, messages, tunnels and traverses of the cluster work with Samba's ctdbd, too.
 */
#include <floe/async/client.hpp>
#include <floe/async/questions.hpp>
#include <floe/async/records.hpp>
#include <floe/async/result.hpp>
#include <floe/async/values.hpp>

#endif
