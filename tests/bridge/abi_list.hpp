// What of libtdb's binary interface the bridge relies on; included once after our header and once after Debian's <tdb.h>.

#define NUMBER(x) \
  { #x, static_cast < long>(x) }
inline std::vector<std::pair<std::string, long>> abi_list() {
  return {NUMBER(TDB_SUCCESS),
          NUMBER(TDB_ERR_CORRUPT),
          NUMBER(TDB_ERR_IO),
          NUMBER(TDB_ERR_LOCK),
          NUMBER(TDB_ERR_OOM),
          NUMBER(TDB_ERR_EXISTS),
          NUMBER(TDB_ERR_NOLOCK),
          NUMBER(TDB_ERR_LOCK_TIMEOUT),
          NUMBER(TDB_ERR_NOEXIST),
          NUMBER(TDB_ERR_EINVAL),
          NUMBER(TDB_ERR_RDONLY),
          NUMBER(TDB_ERR_NESTING),
          NUMBER(TDB_DEBUG_FATAL),
          NUMBER(TDB_DEBUG_ERROR),
          NUMBER(TDB_DEBUG_WARNING),
          NUMBER(TDB_DEBUG_TRACE),
          NUMBER(TDB_INSERT),
          NUMBER(TDB_MODIFY),
          NUMBER(TDB_INTERNAL),
          NUMBER(sizeof(TDB_DATA)),
          NUMBER(offsetof(TDB_DATA, dptr)),
          NUMBER(offsetof(TDB_DATA, dsize)),
          NUMBER(sizeof(TDB_ERROR)),
          NUMBER(sizeof(tdb_debug_level)),
          NUMBER(sizeof(tdb_logging_context)),
          NUMBER(offsetof(tdb_logging_context, log_fn)),
          NUMBER(offsetof(tdb_logging_context, log_private))};
}
#undef NUMBER
