#pragma once
/// The merge of recovery: many nodes' copies of a database in, for each key the winning copy out,
/// in key order.
///
/// Each node is a stream of buffers. A stream that ascends (nodes that store as we do send it so)
/// is merged as it arrives, with no more in memory than its buffers in flight. A stream of unknown
/// order is held until it ends; if it turns out not to ascend, its records go through a table of
/// references, which keeps the best copy of each key, and are sorted afterwards. Records are views
/// into the buffers and are never copied.
///
/// Which copy wins is decided by a rule from outside. Copies of a key are offered to it one after
/// the other, those of sorted streams first and in the order in which the streams were added; for a
/// result that does not depend on who is offered first the rule must be a strict order.
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "storage/error.hpp"
#include "storage/function_ref.hpp"
#include "storage/key.hpp"
#include "storage/record_copy.hpp"

namespace floe {

class copy_pool;

enum class stream_order : std::uint8_t {
  ascending,  ///< promised: by key_order(), each key once
  any,
};

class record_merge {
 public:
  explicit record_merge(better_copy better, long_key_hash hash = hash_long_key);
  record_merge(record_merge&&) noexcept;
  record_merge& operator=(record_merge&&) noexcept;
  ~record_merge();

  /// All streams are added before the first run(); nothing comes out while one of them is silent.
  void add_stream(pnn from, stream_order order);
  /// `records` view into `buffer`. An error (unsorted) only if the stream had promised to ascend:
  /// it is the sender's fault, nothing of this buffer was taken.
  std::expected<void, store_error> feed(pnn from, frame buffer, std::vector<record_view> records);
  void end_stream(pnn from);

  /// Shows the winners that no further buffer can change, until the visitor returns false (it did
  /// not take that one, and will meet it again) or a stream has nothing left. What the visitor is
  /// shown is valid until it returns.
  void run(function_ref<bool(const record_copy&)> visitor);
  /// All streams have ended and all winners were taken.
  bool finished() const;
  /// Whose next buffer, or end, run() needs.
  std::vector<pnn> waiting_for() const;

 private:
  struct buffer {
    frame owner;
    std::vector<record_view> records;
  };
  struct stream {
    pnn from{0};
    stream_order order{};
    bool ended = false;
    bool ascends = true;           ///< so far
    std::deque<buffer> buffers{};  ///< the head is in the first
    std::size_t at = 0;            ///< of the head in its buffer
    bool has_head = false;
    ordered_key head_key{};
    std::optional<bytes> last_key{};  ///< of the latest buffer

    const record_view& head() const { return buffers.front().records[at]; }
    /// May its next record be missing?
    bool silent() const { return !has_head && !ended; }
  };

  stream& stream_of(pnn from);
  bool ascending(const std::optional<bytes>& after, const std::vector<record_view>& records) const;
  void find_head(stream& s);
  void step(stream& s);
  void fill_pool();
  bool next_winner();

  better_copy better_;
  long_key_hash hash_;
  std::vector<stream> streams_;
  std::unique_ptr<copy_pool> pool_;  ///< made when all streams of unknown order have ended
  std::vector<frame> pooled_;        ///< the buffers that it views into
  record_copy winner_;
  bool has_winner_ = false;      ///< chosen, not taken yet
  std::vector<buffer> used_up_;  ///< kept while the winner views into them
};

}  // namespace floe
