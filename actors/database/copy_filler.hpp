#pragma once
/// How the copy of a node that joins is filled before the node takes part (protocol/rules/joining.hpp): parts of its content
/// are asked of a node that has it in use, one after the other, and taken into the store, which counts nowhere meanwhile.
/// The other side is fill.cpp.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "actors/database/database_port.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {

class copy_filler {
 public:
  explicit copy_filler(const database_port& port) : port_(port) {}

  /// The copy counts nowhere and its store is empty: it is filled from the beginning.
  void begin_anew();
  bool has_begun() const { return now_.has_value(); }
  /// The next part, and all after it.
  void go_on(const db_fill_from&);
  /// For a fill that cannot begin.
  void refuse(fill_number, std::string why) const;
  void forget() { now_.reset(); }

  /// `may_store`: no recovery is at work on this copy.
  void on(const db_fill_came&, bool may_store);
  void on(const db_fill_on&);

  /// It has everything, as `base` had it but for `changed`.
  bool is_full() const { return now_ && now_->full; }
  generation base() const { return now_->base; }
  /// At the source, since the base: of these there is no record here.
  const key_set& changed() const { return now_->changed; }
  /// A leader was told so in its transaction.
  void told_in(generation tid) { now_->told_in = tid; }
  bool was_told_in(generation tid) const { return is_full() && now_->told_in == tid; }

 private:
  struct progress {
    fill_number number{};
    pnn from{0};
    generation base = generation::invalid;
    bool begun = false;  ///< behind `last_key` it goes on
    bytes last_key;
    key_set changed{};
    std::uint64_t records = 0, in_all = 0;
    std::uint64_t bytes_per_second = 0;
    bool full = false;
    generation told_in = generation::invalid;
  };

  void ask_for_part() const;
  /// Empty: all are stored.
  std::string take(const rec_buffer&);
  void ask_later(std::size_t after_bytes) const;
  void tell(fill_number, fill_end, std::string why) const;

  const database_port& port_;
  std::optional<progress> now_;
};

}  // namespace floe
