#pragma once
/// The files of `ctdb backupdb` (Samba ctdb/tools/ctdb.c, struct db_backup): a header of 104 bytes
/// and buffers of records, all in host byte order.
///
///   header   u64 version (3), i64 time, u64 kind (db_flag bits), u64 buffers, u64 records, 64
///   bytes of name buffer   u32 db_id, u32 records, u64 length of what follows, the records
///   (length, reqid, key and data sizes, key,
///            data with record header)
///
/// Errors are one line that names the file and the place.
#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "protocol/record.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe::cli {

struct backup_header {
  std::int64_t time = 0;  ///< seconds since 1970
  std::uint64_t flags = 0;
  std::uint64_t buffers = 0;
  std::uint64_t records = 0;
  std::string name;
  db_kind kind() const;
};

struct close_file {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file_ptr = std::unique_ptr<std::FILE, close_file>;

/// Writes beside its name, readable by the owner only, and takes the name when all of it is on the
/// disk. Given up before that, it leaves nothing.
class backup_writer {
 public:
  static std::expected<backup_writer, std::string> create(const std::string& path,
                                                          const std::string& db_name, db_kind,
                                                          std::int64_t time);
  backup_writer(backup_writer&&) = default;
  backup_writer& operator=(backup_writer&&) = delete;
  ~backup_writer();

  std::expected<void, std::string> add(const record_view&);
  std::expected<void, std::string> finish();
  const backup_header& header() const { return header_; }

 private:
  backup_writer() : buffer_(db_id{0}) {}
  std::expected<void, std::string> write_buffer();
  std::expected<void, std::string> write_header();
  std::unexpected<std::string> failed() const;

  std::string path_, temporary_;
  file_ptr file_;
  backup_header header_;
  floe::db_id db_{0};
  rec_buffer_builder buffer_;
};

/// Reads a backup from front to end; every length and count is checked on the way.
class backup_reader {
 public:
  static std::expected<backup_reader, std::string> open(const std::string& path);

  const backup_header& header() const { return header_; }
  /// The next buffer as an encoded rec_buffer of the database's own id; nothing at the end, which
  /// is where the header says.
  std::expected<std::optional<bytes>, std::string> next();

 private:
  std::expected<void, std::string> read_header();
  std::unexpected<std::string> bad(const std::string& why) const;
  bool read(void* to, std::size_t size);

  std::string path_;
  file_ptr file_;
  std::uint64_t size_ = 0, at_ = 0;
  backup_header header_;
  std::uint64_t buffers_ = 0, records_ = 0;
};

}  // namespace floe::cli
