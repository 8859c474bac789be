#include "actors/table/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace floe {
namespace {

std::unexpected<std::string> failure(const char* what, int fd) {
  std::string text = std::string(what) + ": " + std::strerror(errno);
  if (fd >= 0) ::close(fd);
  return std::unexpected(std::move(text));
}

void write_head(void* at, table_size size) {
  auto* h = static_cast<table_head*>(at);
  h->sets = size.sets;
  h->area_words = size.area_words;
  h->total_bytes = size.total();
  h->magic = table_magic;
}

}  // namespace

table_memory::table_memory(void* at, table_size size, int fd, bool mapped)
    : size_(size), at_(at), fd_(fd), mapped_(mapped), head_(static_cast<table_head*>(at)) {
  auto* after_head = static_cast<char*>(at) + sizeof(table_head);
  sets_ = static_cast<table_set*>(static_cast<void*>(after_head));
  area_ = static_cast<table_word*>(static_cast<void*>(after_head + size.sets * sizeof(table_set)));
}

table_memory::~table_memory() {
  if (mapped_)
    ::munmap(at_, size_.total());
  else
    ::operator delete (at_, std::align_val_t{64});
  if (fd_ >= 0) ::close(fd_);
}

std::expected<std::shared_ptr<table_memory>, std::string> table_memory::create_shared(
    table_size size) {
  if (!size.sound()) return std::unexpected("not a size of a record table");
  const int fd = ::memfd_create("floe-record-table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return failure("memfd_create", -1);
  if (::ftruncate(fd, static_cast<off_t>(size.total())) != 0) return failure("ftruncate", fd);
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return failure("seal", fd);
  void* at = ::mmap(nullptr, size.total(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return failure("mmap", fd);
  write_head(at, size);  // everything else is zero already
  return std::shared_ptr<table_memory>(new table_memory(at, size, fd, true));
}

std::shared_ptr<table_memory> table_memory::create_private(table_size size) {
  if (!size.sound()) std::abort();
  void* at = ::operator new (size.total(), std::align_val_t{64});
  std::memset(at, 0, size.total());
  write_head(at, size);
  return std::shared_ptr<table_memory>(new table_memory(at, size, -1, false));
}

std::expected<std::shared_ptr<table_memory>, std::string> table_memory::map(int fd) {
  struct stat s {};
  if (::fstat(fd, &s) != 0) return failure("fstat", fd);
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0) return failure("not a memfd", fd);
  errno = EINVAL;
  const int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
  if ((seals & wanted) != wanted || s.st_size < static_cast<off_t>(sizeof(table_head)))
    return failure("not a sealed record table", fd);
  const auto octets = static_cast<std::size_t>(s.st_size);
  void* at = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return failure("mmap", fd);
  ::close(fd);
  // copied once, then checked: another client may write even here
  table_head* h = static_cast<table_head*>(at);
  const std::uint64_t magic = h->magic, sets = h->sets, words = h->area_words;
  const table_size size{static_cast<std::uint32_t>(sets), static_cast<std::uint32_t>(words)};
  if (magic != table_magic || sets > UINT32_MAX || words > UINT32_MAX || !size.sound() ||
      size.total() != octets) {
    ::munmap(at, octets);
    return std::unexpected("not a record table of this version");
  }
  ::madvise(at, octets, MADV_DONTFORK);
  return std::shared_ptr<table_memory>(new table_memory(at, size, -1, true));
}

std::uint64_t table_memory::stores() const {
  std::uint64_t n = 0;
  for (const auto& c : head_->stores) n += c.value.load(std::memory_order_acquire);
  return n;
}

}  // namespace floe
