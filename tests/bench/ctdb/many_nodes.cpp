/// Loads with clients on all nodes: records that wander, one that all want, messages.
#include <poll.h>

#include <cstdio>
#include <random>

#include "load.hpp"

namespace floe::bench {

/// `clients` processes on each node update records in an order of their own.
int run_wander(std::string_view kind, seconds span, int clients, int records,
               const std::string& database, const std::vector<std::string>& sockets) {
  const auto nodes = static_cast<int>(sockets.size());
  const auto key_of = [](unsigned n) { return "wanders-" + std::to_string(n); };
  const auto& all = in_processes(clients * nodes, false, [&](int i) {
    std::shared_ptr<access> client =
        open(kind, sockets[static_cast<std::size_t>(i % nodes)], database);
    if (i < nodes)
      for (int n = i; n < records; n += nodes) update(*client, key_of(static_cast<unsigned>(n)));
    return [=, which = std::minstd_rand(static_cast<unsigned>(i) + 1)]() mutable {
      return repeat(span, [&] {
        update(*client, key_of(static_cast<unsigned>(which()) % static_cast<unsigned>(records)));
      });
    };
  });
  std::printf("{\"operations\": %ld, \"seconds\": %.6f, \"longest_ms\": %.3f}\n",
              all.operations.load(), seconds(all.took).count(),
              static_cast<double>(all.longest_us.load()) / 1000);
  return 0;
}

/// A process on each node updates the same record without a pause.
int run_stream(std::string_view kind, seconds span, const std::string& database,
               const std::vector<std::string>& sockets) {
  const auto& all = in_processes(static_cast<int>(sockets.size()), true, [&](int i) {
    std::shared_ptr<access> client = open(kind, sockets[static_cast<std::size_t>(i)], database);
    update(*client, "wanted");
    return [=] {
      return repeat(span, [&] {
        update(*client, "wanted");
        return client->asked();
      });
    };
  });
  const auto others = static_cast<double>(std::max(all.of_others.load(), 1L));
  const double took_ms = seconds(all.took).count() * 1000;
  std::printf(
      "{\"operations\": %ld, \"seconds\": %.6f, \"longest_ms\": %.3f, \"mean_ms\": %.4f, "
      "\"asked_mean_ms\": %.3f, \"asked_longest_ms\": %.3f}\n",
      all.operations.load(), took_ms / 1000, static_cast<double>(all.longest_us.load()) / 1000,
      took_ms * static_cast<double>(sockets.size() - 1) / others, all.asked_mean_ms(),
      static_cast<double>(all.asked_longest_us.load()) / 1000);
  return 0;
}

/// A client on each node sends what it gets to the client on the next.
int run_messages(seconds span, int at_once, const std::vector<std::string>& sockets) {
  constexpr std::uint64_t srvid = 0xF10E'0000'0000'0001;
  std::vector<std::unique_ptr<connection>> nodes;
  std::vector<pollfd> wait;
  for (const auto& socket : sockets) {
    nodes.push_back(std::make_unique<connection>(socket));
    nodes.back()->subscribe(srvid);
    wait.push_back({nodes.back()->descriptor(), POLLIN, 0});
  }
  const auto pass_on = [&](std::size_t from) {
    const auto to = (from + 1) % nodes.size();
    nodes[from]->message(nodes[to]->pnn(), srvid, value);
  };
  for (int i = 0; i < at_once; ++i) pass_on(0);
  long count = 0;
  const auto start = clock::now();
  const auto end = start + std::chrono::duration_cast<clock::duration>(span);
  for (auto now = start; now < end; now = clock::now()) {
    if (::poll(wait.data(), wait.size(), 10'000) <= 0) give_up("a message was lost");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!(wait[i].revents & POLLIN)) continue;
      nodes[i]->receive_message(srvid);
      ++count;
      pass_on(i);
    }
  }
  std::printf("{\"operations\": %ld, \"seconds\": %.6f}\n", count,
              seconds(clock::now() - start).count());
  return 0;
}

}  // namespace floe::bench
