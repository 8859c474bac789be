#pragma once
/// How a client of a drill gets at records: on a floe node by the node's record controls, on a ctdbd
/// by the database file, as Samba does (real/tdb_records.hpp). Answers come later, never inside the
/// call, and not at all when it is gone.
#include <cstdint>
#include <string>

#include "actors/client/records.hpp"

namespace floe::cli::drill {

class record_access {
 public:
  virtual ~record_access() = default;
  virtual void lock(const std::string& db, const std::string& key, duration patience,
                    when_done<locked_record>) = 0;
  virtual void read(const std::string& db, const std::string& key, read_from, duration patience,
                    when_done<read_record_answer>) = 0;
  virtual void store(std::uint64_t lock_id, const std::string& data, after_write, duration patience,
                     when_done<void>) = 0;
  virtual void erase(std::uint64_t lock_id, after_write, duration patience, when_done<void>) = 0;
  virtual void unlock(std::uint64_t lock_id, duration patience, when_done<void>) = 0;
  /// The connection to the node is gone, and with it all locks.
  virtual void disconnected() {}
};

/// By controls. The client must outlive it.
class floe_records final : public record_access {
 public:
  explicit floe_records(client& c) : client_(c) {}
  void lock(const std::string& db, const std::string& key, duration patience,
            when_done<locked_record>) override;
  void read(const std::string& db, const std::string& key, read_from, duration patience,
            when_done<read_record_answer>) override;
  void store(std::uint64_t lock_id, const std::string& data, after_write, duration patience,
             when_done<void>) override;
  void erase(std::uint64_t lock_id, after_write, duration patience, when_done<void>) override;
  void unlock(std::uint64_t lock_id, duration patience, when_done<void>) override;

 private:
  client& client_;
};

}  // namespace floe::cli::drill
