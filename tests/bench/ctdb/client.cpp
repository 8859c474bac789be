/// The load that tests/bench/compare puts on a cluster, and the stop watch. One JSON object on
/// standard output.
///
///   bench_ctdb_client KIND update  SECONDS CLIENTS own|same DATABASE SOCKET
///       lock, store 200 bytes, unlock, as fast as each of CLIENTS processes can, on a record each
///       or all on one:
///       {"operations": ..., "seconds": ..., "longest_ms": ..., "asked": ..., "asked_mean_ms": ..., "asked_longest_ms": ...};
///       "longest_ms" is the longest time that one of them took once, "asked" how many asked their node for the record, which
///       was elsewhere, and the last two what these took
///   bench_ctdb_client KIND read    SECONDS CLIENTS own|same DATABASE SOCKET
///       the same with a read that takes no lock
///   bench_ctdb_client KIND fetch|fetch-copies|contend SECONDS CLIENTS DATABASE SOCKET...
///       CLIENTS processes on each node read one record, as fast as they can, with read-only copies or without; or update it
///   bench_ctdb_client KIND migrate SECONDS DATABASE SOCKET SOCKET...
///       one record, locked and unlocked on one node after the other: {"operations": ...,
///       "seconds": ...}
///   bench_ctdb_client KIND wander  SECONDS CLIENTS RECORDS DATABASE SOCKET SOCKET...
///       CLIENTS processes on each node update RECORDS records, each in an order of its own: as update
///   bench_ctdb_client KIND stream  SECONDS DATABASE SOCKET SOCKET...
///       a process on each node updates the same record without a pause: as update, where the longest time is that of all
///       but the first, and "mean_ms" their mean; and "asked_mean_ms", "asked_longest_ms" as contend has them
///   bench_ctdb_client KIND messages SECONDS COUNT SOCKET SOCKET...
///       COUNT messages go round, from a client of one node to one of the next: {"operations": ..., "seconds": ...}
///   bench_ctdb_client KIND transact SECONDS persistent|replicated DATABASE SOCKET...
///       a process on each node commits one transaction of one record after the other: as update
///   bench_ctdb_client KIND pause   DATABASE SOCKET
///       updates one record until standard input ends: {"operations": ..., "longest_pause_ms":
///       ...}; says "ready" on a line of its own when the first update is done
///   bench_ctdb_client KIND touch   COUNT STEP DATABASE SOCKET
///       updates COUNT of the records that filling.py makes, every STEP-th of them: {"operations": ...}
///   bench_ctdb_client KIND delete  COUNT STEP FIRST DATABASE SOCKET
///       deletes COUNT of these records, every STEP-th of them from FIRST on: {"operations": ...}
///
/// KIND is ctdbd, floe, floe-socket, or floe-c.
#include <poll.h>

#include <cstdio>
#include <cstdlib>

#include "load.hpp"

namespace floe::bench {
namespace {

/// `prepare` is run by each client before any of them begins with its operation, which it returns.
template <class Prepare>
int run_together(seconds span, int clients, Prepare prepare) {
  const auto& all = in_processes(clients, false, [&](int i) {
    return [span, operation = prepare(i)] { return repeat(span, operation); };
  });
  std::printf(
      "{\"operations\": %ld, \"seconds\": %.6f, \"longest_ms\": %.3f, \"asked\": %ld, "
      "\"asked_mean_ms\": %.3f, \"asked_longest_ms\": %.3f}\n",
      all.operations.load(), seconds(all.took).count(),
      static_cast<double>(all.longest_us.load()) / 1000, all.asked.load(), all.asked_mean_ms(),
      static_cast<double>(all.asked_longest_us.load()) / 1000);
  return 0;
}

int run_update(std::string_view kind, bool reads, seconds span, int clients, bool own,
               const std::string& database, const std::string& socket) {
  return run_together(span, clients, [&](int i) {
    const std::shared_ptr<access> client = open(kind, socket, database);
    const std::string key = "update-" + std::to_string(own ? i : 0);
    for (int warm = 0; warm < 2; ++warm) update(*client, key);
    return [client, key, reads] { reads ? client->read(key) : update(*client, key); };
  });
}

int run_everywhere(std::string_view kind, std::string_view what, seconds span, int clients,
                   const std::string& database, const std::vector<std::string>& sockets) {
  const std::string key = "everywhere";
  for (const auto& socket : sockets) {
    const auto first = open(kind, socket, database);
    if (what == "fetch-copies") first->allow_copies();
    update(*first, key);
  }
  const int all = clients * static_cast<int>(sockets.size());
  return run_together(span, all, [&](int i) {
    const std::shared_ptr<access> client =
        open(kind, sockets[static_cast<std::size_t>(i) % sockets.size()], database);
    client->fetch(key);
    const bool updates = what == "contend";
    return [client, key, updates] {
      updates ? update(*client, key) : client->fetch(key);
      return updates && client->asked();
    };
  });
}

int run_migrate(std::string_view kind, seconds span, const std::string& database,
                const std::vector<std::string>& sockets) {
  std::vector<std::unique_ptr<access>> nodes;
  for (const auto& socket : sockets) nodes.push_back(open(kind, socket, database));
  const auto visit = [](access& node) {
    node.lock("migrating");
    node.unlock();
  };
  update(*nodes.front(), "migrating");
  for (const auto& node : nodes) visit(*node);
  std::size_t turn = 0;
  const auto start = clock::now();
  const long count = repeat(span, [&] { visit(*nodes[turn++ % nodes.size()]); }).all.count;
  std::printf("{\"operations\": %ld, \"seconds\": %.6f}\n", count,
              seconds(clock::now() - start).count());
  return 0;
}

int run_pause(std::string_view kind, const std::string& database, const std::string& socket) {
  const auto client = open(kind, socket, database);
  update(*client, "watched");
  std::puts("ready");
  std::fflush(stdout);
  clock::duration longest{};
  long count = 0;
  // not as fast as it can: what is watched is the recovery, not how it fares against a busy client
  for (pollfd input{STDIN_FILENO, POLLIN, 0}; ::poll(&input, 1, 0) == 0; ++count) {
    const auto start = clock::now();
    update(*client, "watched");
    longest = std::max(longest, clock::now() - start);
    ::usleep(200);
  }
  std::printf("{\"operations\": %ld, \"longest_pause_ms\": %.3f}\n", count,
              seconds(longest).count() * 1000);
  return 0;
}

int run_touch(std::string_view kind, int count, int step, const std::string& database,
              const std::string& socket) {
  const auto client = open(kind, socket, database);
  for (int i = 0; i < count; ++i) {
    char key[32];
    std::snprintf(key, sizeof key, "record-%08d", i * step);
    update(*client, key);
  }
  std::printf("{\"operations\": %d}\n", count);
  return 0;
}

int run_delete(std::string_view kind, int count, int step, int first, const std::string& database,
               const std::string& socket) {
  const auto client = open(kind, socket, database);
  for (int i = 0; i < count; ++i) {
    char key[32];
    std::snprintf(key, sizeof key, "record-%08d", first + i * step);
    client->lock(key);
    client->erase_and_unlock();
  }
  std::printf("{\"operations\": %d}\n", count);
  return 0;
}

}  // namespace
}  // namespace floe::bench

int main(int argc, char** argv) {
  using namespace floe::bench;
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string usage =
      "usage: bench_ctdb_client ctdbd|floe|floe-socket|floe-c "
      "update|read|fetch|fetch-copies|contend|migrate|wander|stream|messages|transact|pause|touch|"
      "delete "
      "...; see client.cpp";
  if (words.size() < 4 || (words[0] != "ctdbd" && words[0] != "floe" && words[0] != "floe-socket" &&
                           words[0] != "floe-c"))
    give_up(usage);
  const auto& kind = words[0];
  if ((words[1] == "update" || words[1] == "read") && words.size() == 7) {
    return run_update(kind, words[1] == "read", seconds(std::stod(words[2])), std::stoi(words[3]),
                      words[4] == "own", words[5], words[6]);
  }
  if ((words[1] == "fetch" || words[1] == "fetch-copies" || words[1] == "contend") &&
      words.size() > 5)
    return run_everywhere(kind, words[1], seconds(std::stod(words[2])), std::stoi(words[3]),
                          words[4], {words.begin() + 5, words.end()});
  if (words[1] == "migrate" && words.size() > 5) {
    return run_migrate(kind, seconds(std::stod(words[2])), words[3],
                       {words.begin() + 4, words.end()});
  }
  if (words[1] == "wander" && words.size() > 6)
    return run_wander(kind, seconds(std::stod(words[2])), std::stoi(words[3]), std::stoi(words[4]),
                      words[5], {words.begin() + 6, words.end()});
  if (words[1] == "stream" && words.size() > 5)
    return run_stream(kind, seconds(std::stod(words[2])), words[3],
                      {words.begin() + 4, words.end()});
  if (words[1] == "messages" && words.size() > 5)
    return run_messages(seconds(std::stod(words[2])), std::stoi(words[3]),
                        {words.begin() + 4, words.end()});
  if (words[1] == "transact" && words.size() > 5)
    return run_transactions(kind, seconds(std::stod(words[2])), words[3] == "replicated", words[4],
                            {words.begin() + 5, words.end()});
  if (words[1] == "touch" && words.size() == 6)
    return run_touch(kind, std::stoi(words[2]), std::stoi(words[3]), words[4], words[5]);
  if (words[1] == "delete" && words.size() == 7)
    return run_delete(kind, std::stoi(words[2]), std::stoi(words[3]), std::stoi(words[4]), words[5],
                      words[6]);
  if (words[1] == "pause" && words.size() == 4) return run_pause(kind, words[2], words[3]);
  give_up(usage);
}
