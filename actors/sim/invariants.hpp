#pragma once
/// What must be true at every moment of a simulation, whatever happens in it:
///
///   one owner      of the nodes at one generation (of their content, or of their map) only one takes itself for the owner
///                  of a record: who stores a copy that names itself, or grants the record, is the owner until it stores one
///                  that names somebody else, or erases it
///   one holder     a record that is held is granted on no other node of that generation, nor of one that this node is in
///   in the open    no write is acknowledged while a recovery puts the node's content together with that of others, nor after
///                  that, if others commit the result and the node does not
///   left behind    no write is acknowledged in a content that most of its nodes have left by a recovery, unless the next recovery
///                  that the node commits counts it: a smaller part lets its holders finish before it makes a content of its
///                  own; no transaction, unless what they have now has it: all nodes store one before it is acknowledged
///   highest rsn    a record that is granted or arrives is not older than the last write of it that was acknowledged, in
///                  this generation or in the one before by a node whose copies counted
///   highest number a recovery's content of a transactional database has at least the sequence number of the last
///                  transaction that was acknowledged with the word of one of its nodes
///
/// A clash is told when the second of two events happens, with both. It costs a few look-ups for each record that is
/// stored, granted or acknowledged.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/database/database_witness.hpp"
#include "actors/runtime/event_loop.hpp"

namespace floe {

class invariants final : public database_witness {
 public:
  using clash_sink = std::function<void(const std::string& line)>;
  invariants(event_loop& world, clash_sink);
  /// The process of the node has ended.
  void gone(pnn);

  void opened(const database_moment&, std::string_view name) override;
  void left(const database_moment&) override;
  void kept(const database_moment&, byte_view key, const record_header&) override;
  void dropped(const database_moment&, byte_view key) override;
  void granted(const database_moment&, byte_view key, const record_header&) override;
  void released(const database_moment&, byte_view key) override;
  void acknowledged(const database_moment&, byte_view key, const record_header&,
                    bool deleted) override;
  void acknowledged_transaction(const database_moment&, std::uint64_t seqnum) override;
  void recovers(db_id, generation to, std::span<const pnn> counted) override;
  void began(const database_moment&, generation to) override;
  void gave_up(const database_moment&) override;
  void committed(const database_moment&, generation to, std::uint64_t seqnum) override;

 private:
  /// One content of one node: it ends with the next commit, or with the node.
  using content_number = std::uint32_t;
  struct sight {
    database_moment where;
    content_number content = 0;
    duration at{};
    const char* what = "";
    floe::rsn rsn{0};
    bool deleted = false;
  };
  struct record_history {
    std::vector<sight> owners;   ///< each of a generation of its own
    std::optional<sight> write;  ///< the last one acknowledged
    database_moment carrier;     ///< who has it: it moves
    content_number carried = 0;
  };
  struct node_content {
    content_number number = 0;
    content_number born = 0;  ///< the first of this database, which was attached then
    generation opened = generation::invalid;  ///< the transaction of a recovery
    generation given =
        generation::invalid;  ///< the last one, also when it was closed without a commit
    duration since{};         ///< it was opened
    std::optional<std::pair<bytes, sight>> written;  ///< and this was acknowledged after it
    /// Acknowledged in a content that most have left, while another recovery had begun: that must count the node.
    struct hope {
      bytes key;
      sight write, gone_on;
    };
    std::optional<hope> to_be_counted;
  };
  struct recovery {
    std::vector<pnn> counted, taking_part;
    std::map<pnn, std::pair<generation, content_number>> committed;  ///< what each had before
  };
  struct seen_database {
    std::string name;
    std::unordered_map<bytes, record_history> records;
    std::unordered_map<bytes, std::vector<sight>> holders;
    std::map<pnn, node_content> nodes;
    std::map<generation, recovery> recoveries;
    std::vector<generation> order;     ///< of recoveries
    std::map<generation, sight> left;  ///< contents of before, and who has gone on first
    std::map<generation, sight>
        transactions;  ///< the last one of each generation; its rsn is the sequence number
  };

  seen_database& of(const database_moment& m) { return databases_[m.db]; }
  sight see(seen_database&, const database_moment&, const char* what, floe::rsn) const;
  bool stands(const seen_database&, pnn, content_number) const;
  void claim(seen_database&, byte_view key, const sight&);
  static void release_all(seen_database&, pnn);
  void disown(seen_database&, byte_view key, pnn, bool forget);
  void check_rsn(seen_database&, byte_view key, const sight& now);
  bool reaches(const seen_database&, const record_history&, const sight& now) const;
  recovery& recovery_of(seen_database&, generation);
  void clash(const seen_database&, byte_view key, const char* rule, const sight& then,
             const sight& now);
  void check_open(seen_database&, byte_view key, const sight& now);
  void check_left(seen_database&, byte_view key, const sight& now);
  void note_left(seen_database&, const recovery&, generation before, const sight& now);
  std::string describe(const sight&) const;

  event_loop& world_;
  time_point began_;
  clash_sink tell_;
  std::map<db_id, seen_database> databases_;
};

}  // namespace floe
