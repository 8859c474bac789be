#pragma once
/// What is wrong with the content of a database, as it was found at the start or said by whoever replaced it (DB_SET_HEALTHY,
/// DB_DAMAGED). It is in the file as well, so that it outlives the process.
#include <optional>
#include <string>

#include "actors/database/database_port.hpp"

namespace floe {

/// Metadatum of the store.
inline constexpr byte_view damage_name = "damage";

class content_damage {
 public:
  explicit content_damage(const database_port& port) : port_(port) {}

  /// The store is open; `found`: what is to be remembered, empty: nothing new.
  void read(const std::string& found);
  /// Empty: nothing.
  const std::string& text() const { return now_; }

  /// Said by whoever replaces the content; without a transaction it takes effect at once.
  void declare(std::string damage);
  void transaction_begins();
  /// In this transaction: what is committed may be our own.
  void content_is_given() { given_ = true; }
  bool content_given() const { return given_; }
  /// A leader that does not say how whole its sources were has taken the content from us or from somebody better.
  std::string after_commit() const;
  /// The content was committed with this.
  void committed(std::string damage);

 private:
  void keep();

  const database_port& port_;
  std::string now_;
  std::optional<std::string> declared_;  ///< of what the transaction will commit
  bool given_ = false;
};

}  // namespace floe
