#include "protocol/types/record_access.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<record_lock_request>) {
  return wire::record("record_lock_request", wire::field("db_id", &record_lock_request::db_id),
                      wire::field("flags", &record_lock_request::flags),
                      wire::field("timeout_ms", &record_lock_request::timeout_ms),
                      wire::sized("keylen", "key", &record_lock_request::key));
}

constexpr auto layout(wire::of<record_lock_reply>) {
  return wire::record("record_lock_reply", wire::field("header", &record_lock_reply::header),
                      wire::sized("datalen", "data", &record_lock_reply::data),
                      wire::field("lock_id", &record_lock_reply::lock_id));
}

constexpr auto layout(wire::of<record_read_request>) {
  return wire::record("record_read_request", wire::field("db_id", &record_read_request::db_id),
                      wire::field("flags", &record_read_request::flags),
                      wire::sized("keylen", "key", &record_read_request::key));
}

constexpr auto layout(wire::of<record_read_reply>) {
  return wire::record("record_read_reply", wire::field("found", &record_read_reply::found),
                      wire::field("header", &record_read_reply::header),
                      wire::sized("datalen", "data", &record_read_reply::data));
}

constexpr auto layout(wire::of<record_store_request>) {
  return wire::record("record_store_request",
                      wire::field("lock_id", &record_store_request::lock_id),
                      wire::field("flags", &record_store_request::flags),
                      wire::sized("datalen", "data", &record_store_request::data));
}

constexpr auto layout(wire::of<record_delete_request>) {
  return wire::record("record_delete_request",
                      wire::field("lock_id", &record_delete_request::lock_id),
                      wire::field("flags", &record_delete_request::flags));
}

constexpr auto layout(wire::of<record_scan_request>) {
  return wire::record("record_scan_request", wire::field("db_id", &record_scan_request::db_id),
                      wire::field("flags", &record_scan_request::flags),
                      wire::field("max_bytes", &record_scan_request::max_bytes),
                      wire::sized("keylen", "after", &record_scan_request::after));
}

constexpr auto layout(wire::of<record_table_request>) {
  return wire::record("record_table_request", wire::field("db_id", &record_table_request::db_id),
                      wire::field("flags", &record_table_request::flags));
}

constexpr auto layout(wire::of<record_table_reply>) {
  return wire::record("record_table_reply", wire::field("client", &record_table_reply::client),
                      wire::field("reserved", &record_table_reply::reserved));
}

constexpr auto layout(wire::of<record_unlock_request>) {
  return wire::record("record_unlock_request",
                      wire::field("lock_id", &record_unlock_request::lock_id));
}

template struct wire::codec<record_lock_request>;
template struct wire::codec<record_lock_reply>;
template struct wire::codec<record_read_request>;
template struct wire::codec<record_read_reply>;
template struct wire::codec<record_store_request>;
template struct wire::codec<record_delete_request>;
template struct wire::codec<record_scan_request>;
template struct wire::codec<record_table_request>;
template struct wire::codec<record_table_reply>;
template struct wire::codec<record_unlock_request>;

}  // namespace floe
