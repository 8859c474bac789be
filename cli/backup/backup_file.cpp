#include "cli/backup/backup_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli {
namespace {

constexpr std::uint64_t version = 3;
constexpr std::size_t header_size = 104, name_size = 64, buffer_head = 16;
/// CTDB's tool begins a new buffer at about this size.
constexpr std::size_t buffer_size = 100'000;

struct raw_header {
  std::uint64_t version;
  std::int64_t time;
  std::uint64_t flags, buffers, records;
  char name[name_size];
};
static_assert(sizeof(raw_header) == header_size);

}  // namespace

db_kind backup_header::kind() const {
  if (flags & db_flag::persistent) return db_kind::persistent;
  return flags & db_flag::replicated ? db_kind::replicated : db_kind::volatile_db;
}

// --- writing
// ---------------------------------------------------------------------------------------------------------

std::expected<backup_writer, std::string> backup_writer::create(const std::string& path,
                                                                const std::string& db_name,
                                                                db_kind kind, std::int64_t time) {
  if (db_name.size() >= name_size)
    return std::unexpected(
        fmt::format("{}: the file has room for a name of {} bytes", db_name, name_size - 1));
  backup_writer w;
  w.path_ = path;
  w.temporary_ = path + ".XXXXXX";
  w.header_.name = db_name;
  w.header_.time = time;
  if (kind == db_kind::persistent) w.header_.flags = db_flag::persistent;
  if (kind == db_kind::replicated) w.header_.flags = db_flag::replicated;
  w.db_ = db_id_of(db_name);
  w.buffer_ = rec_buffer_builder(w.db_);
  const int fd = ::mkostemp(w.temporary_.data(), O_CLOEXEC);  // mode 0600
  if (fd < 0) {
    w.temporary_.clear();
    return w.failed();
  }
  w.file_.reset(::fdopen(fd, "w+b"));
  if (auto written = w.write_header(); !written) return std::unexpected(written.error());
  return w;
}

backup_writer::~backup_writer() {
  if (file_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

std::unexpected<std::string> backup_writer::failed() const {
  return std::unexpected(path_ + ": " + std::strerror(errno));
}

std::expected<void, std::string> backup_writer::add(const record_view& r) {
  if (!buffer_.empty() && buffer_.size_with(r.key.size(), r.data.size()) > buffer_size)
    if (auto written = write_buffer(); !written) return written;
  buffer_.add(r.key, r.header, r.data);
  ++header_.records;
  return {};
}

std::expected<void, std::string> backup_writer::write_buffer() {
  if (buffer_.empty()) return {};
  const auto count = buffer_.count();
  const bytes whole = buffer_.take();
  const auto records = byte_view(whole).substr(rec_buffer::wire_size_min);
  bytes head =
      wire::encode(number(db_)) + wire::encode(count) + wire::encode(std::uint64_t{records.size()});
  ++header_.buffers;
  if (std::fwrite(head.data(), 1, head.size(), file_.get()) != head.size() ||
      std::fwrite(records.data(), 1, records.size(), file_.get()) != records.size())
    return failed();
  return {};
}

std::expected<void, std::string> backup_writer::write_header() {
  raw_header raw{.version = version,
                 .time = header_.time,
                 .flags = header_.flags,
                 .buffers = header_.buffers,
                 .records = header_.records,
                 .name = {}};
  std::memcpy(raw.name, header_.name.data(), header_.name.size());
  if (std::fseek(file_.get(), 0, SEEK_SET) != 0 ||
      std::fwrite(&raw, sizeof raw, 1, file_.get()) != 1)
    return failed();
  return {};
}

std::expected<void, std::string> backup_writer::finish() {
  if (auto written = write_buffer(); !written) return written;
  if (auto written = write_header(); !written) return written;
  if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) return failed();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed();
  temporary_.clear();
  // the name, too, is on the disk then
  auto dir = std::filesystem::path(path_).parent_path();
  const int fd = ::open(dir.empty() ? "." : dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
  return {};
}

// --- reading
// ---------------------------------------------------------------------------------------------------------

std::unexpected<std::string> backup_reader::bad(const std::string& why) const {
  return std::unexpected(fmt::format("{}: at byte {}: {}", path_, at_, why));
}

std::expected<backup_reader, std::string> backup_reader::open(const std::string& path) {
  backup_reader r;
  r.path_ = path;
  r.file_.reset(std::fopen(path.c_str(), "rbe"));
  struct stat about {};
  if (!r.file_ || ::fstat(::fileno(r.file_.get()), &about) != 0)
    return std::unexpected(path + ": " + std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return std::unexpected(path + ": not a regular file");
  r.size_ = static_cast<std::uint64_t>(about.st_size);
  if (auto good = r.read_header(); !good) return std::unexpected(good.error());
  return r;
}

bool backup_reader::read(void* to, std::size_t size) {
  if (std::fread(to, 1, size, file_.get()) != size) return false;
  at_ += size;
  return true;
}

std::expected<void, std::string> backup_reader::read_header() {
  raw_header raw{};
  if (size_ < sizeof raw) return bad("too short for a backup of a database");
  if (!read(&raw, sizeof raw)) return bad(std::strerror(errno));
  at_ = 0;
  if (raw.version != version)
    return bad(fmt::format("version {}, not {}: not a backup of a database, or of another CTDB",
                           raw.version, version));
  if ((raw.flags & ~std::uint64_t{db_flag::persistent | db_flag::replicated | db_flag::readonly |
                                  db_flag::sticky}) != 0)
    return bad(fmt::format("unknown flags {:#x}", raw.flags));
  const auto* end = std::find(raw.name, raw.name + name_size, '\0');
  if (end == raw.name || end == raw.name + name_size) return bad("no name of a database");
  header_ = {.time = raw.time,
             .flags = raw.flags,
             .buffers = raw.buffers,
             .records = raw.records,
             .name = std::string(raw.name, static_cast<std::size_t>(end - raw.name))};
  at_ = sizeof raw;
  return {};
}

std::expected<std::optional<bytes>, std::string> backup_reader::next() {
  if (buffers_ == header_.buffers) {
    if (at_ != size_) return bad(fmt::format("{} bytes follow the last buffer", size_ - at_));
    if (records_ != header_.records)
      return bad(fmt::format("{} records, where the header says {}", records_, header_.records));
    return std::nullopt;
  }
  struct {
    std::uint32_t db, count;
    std::uint64_t length;
  } head{};
  static_assert(sizeof head == buffer_head);
  if (size_ - at_ < sizeof head || !read(&head, sizeof head))
    return bad(
        fmt::format("the file ends, and {} buffers are missing", header_.buffers - buffers_));
  if (head.length > size_ - at_) return bad("the file ends within a buffer");
  bytes whole = wire::encode(number(db_id_of(header_.name))) + wire::encode(head.count);
  const auto begin = whole.size();
  const auto place = at_;
  whole.resize(begin + head.length);
  if (!read(whole.data() + begin, head.length)) return bad(std::strerror(errno));
  at_ = place;
  const auto records = wire::decode<rec_buffer>(whole);
  if (!records) return bad("bad records: " + records.error().text());
  if (records->records().size() != head.length) return bad("a buffer is longer than its records");
  for (const rec_data& r : *records)
    if (auto one = r.as_record(); !one) return bad("a record without key or header");
  at_ = place + head.length;
  ++buffers_;
  records_ += records->count();
  return whole;
}

}  // namespace floe::cli
