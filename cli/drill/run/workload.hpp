#pragma once
/// Clients that use records again and again, at a rate, in a mix drawn from the drill's chance. Every
/// value they write is written once.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/drill/run/drill_client.hpp"

namespace floe::cli::drill {

struct workload_options {
  std::size_t clients = 6;
  std::vector<std::size_t> nodes;  ///< clients are spread over them in turn
  std::vector<std::string> databases;
  std::set<std::string> transactional{};  ///< those that are persistent or replicated
  std::size_t keys = 20;                  ///< of each database
  duration pause{
      std::chrono::milliseconds(20)};  ///< between two operations of a client, on average
  std::vector<std::string>
      mix;  ///< write, read, delete, move, transact, look: each with the same weight
};

class workload {
 public:
  workload(drill_run&, workload_options, std::size_t number);
  /// Nothing new is begun.
  void stop() { stopped_ = true; }
  bool busy() const;
  const std::vector<std::unique_ptr<drill_client>>& clients() const { return clients_; }

 private:
  void later(std::size_t client);
  void go(std::size_t client);
  void transact(std::size_t client, const std::string& db, bool writes);
  void wrote(std::size_t client, const operation&);

  drill_run& run_;
  workload_options options_;
  std::vector<std::unique_ptr<drill_client>> clients_;
  std::vector<char> busy_;
  std::uint64_t last_value_ = 0;
  std::string prefix_;
  bool stopped_ = false;
};

}  // namespace floe::cli::drill
