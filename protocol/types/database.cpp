#include "protocol/types/database.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<dbid_and_flags>) {
  return wire::record("dbid_and_flags", wire::field("db_id", &dbid_and_flags::db_id),
                      wire::field("flags", &dbid_and_flags::flags, &db_flags_text),
                      wire::zero<3>());
}

constexpr auto layout(wire::of<db_disputed>) {
  return wire::record("db_disputed", wire::field("db_id", &db_disputed::db_id),
                      wire::stringn("detail", &db_disputed::detail));
}

constexpr auto layout(wire::of<db_lineage_entry>) {
  return wire::record("db_lineage_entry", wire::field("db_id", &db_lineage_entry::db_id),
                      wire::field("generation", &db_lineage_entry::generation),
                      wire::field("member", &db_lineage_entry::member));
}

constexpr auto layout(wire::of<db_lineage_list>) {
  return wire::record("db_lineage_list",
                      wire::counted("num", "entries", &db_lineage_list::entries));
}

constexpr auto layout(wire::of<dbid_map>) {
  return wire::record("dbid_map", wire::counted("num", "dbs", &dbid_map::dbs));
}

constexpr auto layout(wire::of<transdb>) {
  return wire::record("transdb", wire::field("db_id", &transdb::db_id),
                      wire::field("tid", &transdb::tid));
}

constexpr auto layout(wire::of<pulldb_ext>) {
  return wire::record("pulldb_ext", wire::field("db_id", &pulldb_ext::db_id),
                      wire::field("lmaster", &pulldb_ext::lmaster),
                      wire::field("srvid", &pulldb_ext::srvid));
}

constexpr auto layout(wire::of<db_copy_state>) {
  return wire::record("db_copy_state", wire::field("content", &db_copy_state::content),
                      wire::field("changes", &db_copy_state::changes),
                      wire::field("keys", &db_copy_state::keys),
                      wire::field("records", &db_copy_state::records),
                      wire::field("digest", &db_copy_state::digest),
                      wire::counted("num", "earlier", &db_copy_state::earlier));
}

constexpr auto layout(wire::of<db_changes_request>) {
  return wire::record("db_changes_request", wire::field("db_id", &db_changes_request::db_id),
                      wire::field("tid", &db_changes_request::tid),
                      wire::field("srvid", &db_changes_request::srvid),
                      wire::field("since", &db_changes_request::since), wire::zero<4>());
}

constexpr auto layout(wire::of<db_copies_request>) {
  return wire::record("db_copies_request", wire::field("db_id", &db_copies_request::db_id),
                      wire::field("tid", &db_copies_request::tid),
                      wire::field("srvid", &db_copies_request::srvid),
                      wire::sized("keyslen", "keys", &db_copies_request::keys));
}

namespace {

bytes content_claim_text(std::uint64_t v) {
  switch (static_cast<content_claim>(v)) {
    case content_claim::base: return "base";
    case content_claim::earlier: return "earlier";
    case content_claim::birth: return "birth";
    case content_claim::unknown: return "unknown";
    case content_claim::serves: return "serves";
    case content_claim::filled: return "filled";
    case content_claim::member: return "member";
  }
  return {};
}

}  // namespace

constexpr auto layout(wire::of<db_content_entry>) {
  return wire::record("db_content_entry", wire::field("db_id", &db_content_entry::db_id),
                      wire::field("claim", &db_content_entry::claim, &content_claim_text),
                      wire::field("generation", &db_content_entry::generation),
                      wire::field("records", &db_content_entry::records));
}

constexpr auto layout(wire::of<db_content_list>) {
  return wire::record("db_content_list",
                      wire::counted("num", "entries", &db_content_list::entries));
}

constexpr auto layout(wire::of<join_request>) {
  return wire::record("join_request", wire::field("rate", &join_request::rate),
                      wire::counted("num", "databases", &join_request::databases));
}

constexpr auto layout(wire::of<db_fill_request>) {
  return wire::record("db_fill_request", wire::field("db_id", &db_fill_request::db_id),
                      wire::field("base", &db_fill_request::base),
                      wire::field("begun", &db_fill_request::begun),
                      wire::sized("afterlen", "after", &db_fill_request::after));
}

constexpr auto layout(wire::of<db_fill_part>) {
  return wire::record("db_fill_part", wire::field("base", &db_fill_part::base),
                      wire::field("at_end", &db_fill_part::at_end),
                      wire::field("records_in_all", &db_fill_part::in_all),
                      wire::sized("recordslen", "records", &db_fill_part::records));
}

constexpr auto layout(wire::of<db_step_request>) {
  return wire::record("db_step_request", wire::field("db_id", &db_step_request::db_id),
                      wire::field("content", &db_step_request::content));
}

constexpr auto layout(wire::of<db_change_step>) {
  return wire::record("db_change_step", wire::field("from", &db_change_step::from),
                      wire::sized("keyslen", "keys", &db_change_step::keys),
                      wire::sized("pastlen", "past", &db_change_step::past));
}

constexpr auto layout(wire::of<db_digest>) {
  return wire::record("db_digest", wire::field("records", &db_digest::records),
                      wire::field("sum", &db_digest::sum));
}

constexpr auto layout(wire::of<db_seqnum_request>) {
  return wire::record("db_seqnum_request", wire::field("db_id", &db_seqnum_request::db_id),
                      wire::zero<4>());
}

constexpr auto layout(wire::of<db_vacuum>) {
  return wire::record("db_vacuum", wire::field("db_id", &db_vacuum::db_id),
                      wire::field("full_vacuum_run", &db_vacuum::full_vacuum_run));
}

constexpr auto layout(wire::of<key_data>) {
  return wire::record("key_data", wire::field("db_id", &key_data::db_id), wire::junk<4>(),
                      wire::field("header", &key_data::header),
                      wire::sized("keylen", "key", &key_data::key));
}

constexpr auto layout(wire::of<push_record>) {
  return wire::record("push_record", wire::field("generation", &push_record::generation),
                      wire::field("db_id", &push_record::db_id),
                      wire::field("header", &push_record::header),
                      wire::sized("keylen", "key", &push_record::key),
                      wire::sized("datalen", "data", &push_record::data));
}

template struct wire::codec<dbid_and_flags>;
template struct wire::codec<db_disputed>;
template struct wire::codec<db_lineage_entry>;
template struct wire::codec<db_lineage_list>;
template struct wire::codec<dbid_map>;
template struct wire::codec<transdb>;
template struct wire::codec<pulldb_ext>;
template struct wire::codec<db_copy_state>;
template struct wire::codec<db_changes_request>;
template struct wire::codec<db_copies_request>;
template struct wire::codec<db_content_entry>;
template struct wire::codec<db_content_list>;
template struct wire::codec<join_request>;
template struct wire::codec<db_fill_request>;
template struct wire::codec<db_fill_part>;
template struct wire::codec<db_step_request>;
template struct wire::codec<db_change_step>;
template struct wire::codec<db_digest>;
template struct wire::codec<db_seqnum_request>;
template struct wire::codec<db_vacuum>;
template struct wire::codec<key_data>;
template struct wire::codec<push_record>;

}  // namespace floe
