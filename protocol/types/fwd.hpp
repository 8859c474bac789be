#pragma once
/// Names of all wire types, for headers that need no more than that. types/all.hpp has the types
/// themselves.
#include <cstdint>

#include "protocol/ids.hpp"

namespace floe {

namespace wire {
struct string;
struct text;
struct octets;
}  // namespace wire

enum class process_id : std::int32_t;
enum class debug_level : std::int32_t;

struct addr_info;
struct ban_state;
struct tcp_connection;
struct connection;
struct db_change_step;
struct db_changes_request;
struct db_content_list;
struct db_copies_request;
struct db_copy_state;
struct db_digest;
struct db_fill_part;
struct db_fill_request;
struct db_lineage_list;
struct db_disputed;
struct db_step_request;
struct db_seqnum_request;
struct db_statistics;
struct db_vacuum;
struct dbid_map;
struct disable_message;
struct echo_data;
struct election_message;
struct iface;
struct iface_list;
struct join_request;
struct key_data;
struct latency;
struct node_flag_change;
struct node_map;
struct nothing;
struct notify_data;
struct pid_srvid;
struct public_ip;
struct public_ip_info;
struct public_ip_list;
struct pulldb_ext;
struct push_record;
class rec_buffer;
struct rec_data;
struct record_delete_request;
struct record_header;
struct record_lock_reply;
struct record_lock_request;
struct record_read_reply;
struct record_read_request;
struct record_scan_request;
struct record_store_request;
struct record_table_reply;
struct record_table_request;
struct record_unlock_request;
struct sock_addr;
struct srvid_message;
struct statistics;
struct statistics_list;
struct tickle_list;
struct transdb;
struct traverse_all;
struct traverse_all_ext;
struct traverse_start;
struct traverse_start_ext;
struct tunable_list;
struct tunable_name;
struct tunable_set;
struct uptime;
struct var_list;
struct vnn_map;

}  // namespace floe
