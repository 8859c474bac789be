#include "protocol/tunable_effects.hpp"

namespace floe {

byte_view why_without_effect(tunable t) {
  if (info_of(t).obsolete) return "it is obsolete in CTDB, too";
  switch (t) {
    case tunable::takeover_timeout:
    case tunable::tickle_update_interval:
    case tunable::no_ip_failback:
    case tunable::no_ip_takeover:
    case tunable::ip_alloc_algorithm:
    case tunable::recovery_drop_all_ips: return "there are no public addresses";
    case tunable::monitor_interval:
    case tunable::monitor_timeout_count:
    case tunable::script_timeout: return "there are no event scripts";
    case tunable::database_hash_size:
    case tunable::database_max_dead: return "records are in LMDB, whose trees have no chains";
    case tunable::lock_processes_per_db: return "who waits for a record needs no process";
    case tunable::recd_ping_timeout:
    case tunable::recd_ping_failcount:
      return "recoveries are led in the node itself, not in a second daemon";
    case tunable::rerecovery_timeout: return "a recovery that is needed is not put off";
    case tunable::fetch_collapse:
      return "requests for a record that is on its way always wait for it, as with 1";
    case tunable::hopcount_make_sticky:
    case tunable::sticky_duration:
    case tunable::sticky_pindown: return "records are not held back from other nodes";
    case tunable::db_record_count_warn:
    case tunable::db_record_size_warn:
    case tunable::db_size_warn: return "nobody is warned, nor by CTDB 4.17";
    case tunable::pulldb_preallocation_size:
      return "buffers are as large as what they hold; nor does CTDB 4.17 use it";
    case tunable::verbose_memory_names: return "memory has no names";
    case tunable::queue_buffer_size: return "buffers of connections grow as they need";
    case tunable::max_queue_depth_drop_msg: return "clients are not cut off by a number of packets";
    case tunable::log_latency_ms:
    case tunable::reclock_latency_ms:
      return "slow steps are in statistics and timeline, not in the log";
    default: return {};
  }
}

}  // namespace floe
