#pragma once
/// A client in a drill: locks, reads and writes records of its node, and keeps the history of what
/// it asked and was told.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/client/client.hpp"
#include "actors/client/records.hpp"
#include "cli/drill/checker/history.hpp"
#include "cli/drill/testbed/record_access.hpp"

namespace floe::cli::drill {

class drill_run;

class drill_client {
 public:
  using ended = std::function<void(const operation&, std::size_t index)>;
  using transacted_end = std::function<void(const transacted&)>;

  /// Connects, and connects again whenever the node is there.
  drill_client(drill_run&, std::string name, std::size_t node);
  ~drill_client() { leave(); }
  drill_client(const drill_client&) = delete;

  const std::string& name() const { return name_; }
  std::size_t node() const { return node_; }
  bool connected() const { return client_ && client_->connected(); }
  client& raw() { return *client_; }
  /// The process ends: its locks are given back by its node, nobody hears the answers.
  void leave();

  void lock(const std::string& db, const std::string& key, duration patience, ended = nullptr);
  void read(const std::string& db, const std::string& key, ended = nullptr,
            bool final_look = false);
  void store(const std::string& db, const std::string& key, const std::string& value, after_write,
             ended = nullptr);
  void erase(const std::string& db, const std::string& key, after_write, ended = nullptr);
  void unlock(const std::string& db, const std::string& key, ended = nullptr);

  /// What the node itself has of a record; not part of the history.
  void peek(const std::string& db, const std::string& key, when_done<read_record_answer>);
  /// On a persistent or replicated database: reads these keys and those that it writes, under the lock
  /// of the database's transactions, then writes them all at once. Without writes it only looks.
  void transact(const std::string& db, std::map<std::string, std::string> writes,
                std::vector<std::string> reads, duration patience, transacted_end = nullptr);

  bool holds(const std::string& db, const std::string& key) const {
    return held_.contains({db, key});
  }
  bool waits_for(const std::string& db, const std::string& key) const;

 private:
  struct held_lock {
    std::uint64_t id = 0;
    std::size_t operation = 0;
  };
  struct transaction_run;
  void leave_transactions();
  void note_transaction(const transacted&);
  std::size_t begin(op_kind, const std::string& db, const std::string& key);
  template <class T>
  void end(std::size_t op, const result<T>&, const ended&);
  void end_holding(const std::pair<std::string, std::string>&);
  void refuse(std::size_t op, const ended&, std::string why);

  drill_run& run_;
  std::string name_;
  std::size_t node_;
  time_us connected_ = never;  ///< since when, with the process that the node is now
  std::unique_ptr<client> client_;
  std::unique_ptr<record_access> records_;
  std::map<std::pair<std::string, std::string>, held_lock> held_;
  std::map<std::size_t, bool> open_;  ///< operations under way
  std::set<std::size_t> open_transactions_;
};

}  // namespace floe::cli::drill
