#pragma once
/// Samba's libtdb, looked for when it is needed: it is there wherever ctdbd is. What is used of it
/// (tdb.h of libtdb 1.4): files, chain locks that do not wait, records.
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace floe::cli::drill {

/// One open file. A process may open a file once; all its locks on it are this handle's.
class tdb_file {
 public:
  virtual ~tdb_file() = default;  ///< closes it, with all locks
  /// Keys of one chain share a lock.
  virtual std::uint32_t chain_of(const std::string& key) const = 0;
  /// False: somebody else has it. May be taken several times, and is given back as often.
  virtual bool try_lock(const std::string& key) = 0;
  virtual void unlock(const std::string& key) = 0;
  virtual std::optional<std::string> fetch(const std::string& key) = 0;
  virtual bool store(const std::string& key, const std::string& value) = 0;
};

/// `flags` as the daemon names them (DB_OPEN_FLAGS). The error is one line.
std::expected<std::unique_ptr<tdb_file>, std::string> open_tdb(const std::string& path, int flags);

}  // namespace floe::cli::drill
