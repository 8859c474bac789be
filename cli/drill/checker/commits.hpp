#pragma once
/// What became of the transactions on one database, told from the values: each is written once, and
/// each transaction has seen, under its lock, what stood there before. So for every key the
/// transactions that happened follow from what is there at the end, back to the first: its *chain*.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/content_history.hpp"

namespace floe::cli::drill {

struct commit_chain {
  std::vector<std::size_t> order;  ///< transactions that wrote the key, the first one first
  std::string broken;              ///< why it cannot be followed; empty: it can
  /// What the first one has seen there was thrown away while it ran: what it was put in the place of is not known.
  bool begins_unseen = false;
};

struct commit_history {
  std::string db;
  std::vector<std::size_t> all;  ///< transactions, by their begin
  std::map<std::string, std::map<std::size_t, std::string>>
      at_rest;                                 ///< by key, by node: the content
  std::map<std::string, commit_chain> chains;  ///< by key
  std::set<std::size_t> happened;              ///< those in some chain

  /// The keys it wrote that have it in their chain.
  std::size_t kept_keys(const history&, std::size_t transaction) const;
  /// Whether the chains of all keys that it wrote are known, as far back as it may be in them.
  bool is_told(const history&, std::size_t transaction) const;
};

/// Of every database that is written by transactions. Keys on which the nodes do not agree at the end
/// have no chain.
std::vector<commit_history> by_database(const history&, const observations&);

/// Says which disturbance explains that a transaction on one database is lost, or that somebody has not seen it.
///
/// Without a cluster lock, or with one that was stolen, both sides of a cut cluster commit transactions, and those of one side
/// are thrown away. A replicated database is nowhere but in memory: it is gone when every process that had the transaction has
/// ended. That had all nodes with the content in which it was made, but those that left with that, and who was in a recovery with
/// one of them since.
///
/// With a cluster lock, and no majority asked for, the part that has the lock goes on, also with a content that is older than
/// that of nodes which have all ended, or been cut off, before: nobody is there who could tell. When they come back with it,
/// there are two histories, and one of them is lost (that with the lower sequence number). This explains only what stands
/// against a transaction of the other history that was kept, and only if nobody of those who had the older one was there when
/// the others went on (content_history::could_not_have).
class lost_commits {
 public:
  lost_commits(const history&, const observations&, const commit_history&);

  std::optional<disturbance> explain(const transacted&) const;
  /// That the node did not show at that time what has happened.
  std::optional<disturbance> explain_sight(std::size_t node, time_us at) const;
  /// What the node showed at that time is no word about it: it was committed in another part of the cluster, where parts may
  /// go on, and the two had not met.
  bool in_another_part(const transacted&, std::size_t node, time_us at) const;

 private:
  const history& history_;
  const observations& seen_;
  content_history contents_;
  std::set<content_history::content>
      kept_;  ///< those in which something was committed that is there at the end
};

std::string transaction_text(const transacted&);

}  // namespace floe::cli::drill
