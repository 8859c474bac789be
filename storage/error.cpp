#include "storage/error.hpp"

#include <lmdb.h>

#include <cerrno>

namespace floe {

byte_view name(store_errc code) {
  switch (code) {
    case store_errc::full_disk: return "full_disk";
    case store_errc::full_map: return "full_map";
    case store_errc::unstorable: return "unstorable";
    case store_errc::unsorted: return "unsorted";
    case store_errc::no_resources: return "no_resources";
    case store_errc::denied: return "denied";
    case store_errc::io: return "io";
    case store_errc::corrupt: return "corrupt";
    case store_errc::wrong_format: return "wrong_format";
    case store_errc::reopen: return "reopen";
    case store_errc::not_open: return "not_open";
  }
  return "unknown";
}

namespace {

store_errc code_of(int cause) {
  switch (cause) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return store_errc::full_disk;
    case MDB_MAP_FULL: return store_errc::full_map;
    case MDB_BAD_VALSIZE: return store_errc::unstorable;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case MDB_READERS_FULL:
    case MDB_TXN_FULL:
    case MDB_TLS_FULL: return store_errc::no_resources;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case EINVAL: return store_errc::denied;
    case MDB_VERSION_MISMATCH: return store_errc::wrong_format;
    case MDB_MAP_RESIZED:  // somebody else enlarged the file
    case MDB_PANIC: return store_errc::reopen;
    // The layout uses neither named databases nor other flags, and cursors and pages have fixed
    // bounds: these can only come from a damaged page.
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_BAD_DBI:
    case MDB_DBS_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL: return store_errc::corrupt;
    default: return store_errc::io;
  }
}

}  // namespace

store_error lmdb_error(int cause, byte_view doing) {
  return {code_of(cause), cause, std::string(doing) + ": " + mdb_strerror(cause)};
}

store_error own_error(store_errc code, byte_view text) { return {code, 0, std::string(text)}; }

}  // namespace floe
