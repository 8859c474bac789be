/*
 * What a program that was compiled against libfloe-client.so.0 relies on: the functions with their types, the layout of
 * structures, and numbers. This file does not compile when the header breaks one of those; abi.py compares the
 * functions with what the library shows. New functions are added here, under a macro of the symbol version that brings them;
 * whatever else has to be changed here makes another version of the library (soversion in actors/clib/meson.build).
 */
#include <floe/client.h>
#include <stddef.h>

#define FUNCTION(result, name, ...) \
  result(*const abi_##name) __VA_ARGS__ = name; /* FUNCTION name */

FUNCTION(const char*, floe_error_text, (void))
FUNCTION(const char*, floe_error_name, (int))
FUNCTION(const char*, floe_version, (void))
FUNCTION(int, floe_connect, (const char*, unsigned, int, floe_connection**))
FUNCTION(void, floe_disconnect, (floe_connection*))
FUNCTION(uint32_t, floe_pnn, (floe_connection*))
FUNCTION(void, floe_set_patience, (floe_connection*, int))
FUNCTION(int, floe_fd, (floe_connection*))
FUNCTION(int, floe_attach, (floe_connection*, const char*, floe_kind, int, floe_db*))
FUNCTION(int, floe_find, (floe_connection*, const char*, int, floe_db*, floe_kind*))
FUNCTION(int, floe_allow_copies, (floe_connection*, floe_db, int))
FUNCTION(int, floe_sequence_number, (floe_connection*, floe_db, int, uint64_t*))
FUNCTION(void, floe_free, (floe_value*))
FUNCTION(int, floe_lock_record, (floe_connection*, floe_db, const void*, size_t, int, floe_lock**))
FUNCTION(const void*, floe_lock_data, (const floe_lock*, size_t*))
FUNCTION(void, floe_lock_header, (const floe_lock*, floe_header*))
FUNCTION(int, floe_store, (floe_lock*, const void*, size_t))
FUNCTION(int, floe_delete, (floe_lock*))
FUNCTION(int, floe_unlock, (floe_lock*))
FUNCTION(int, floe_read, (floe_connection*, floe_db, const void*, size_t, int, int, floe_value*))
FUNCTION(int, floe_traverse,
         (floe_connection*, floe_db, unsigned, int, floe_visitor, void*, uint64_t*))
FUNCTION(int, floe_transaction_start, (floe_connection*, floe_db, int, floe_transaction**))
FUNCTION(int, floe_transaction_read, (floe_transaction*, const void*, size_t, floe_value*))
FUNCTION(int, floe_transaction_store, (floe_transaction*, const void*, size_t, const void*, size_t))
FUNCTION(int, floe_transaction_commit, (floe_transaction*, int))
FUNCTION(void, floe_transaction_cancel, (floe_transaction*))
FUNCTION(int, floe_listen, (floe_connection*, uint64_t, floe_handler, void*))
FUNCTION(int, floe_send, (floe_connection*, uint32_t, uint64_t, const void*, size_t))
FUNCTION(int, floe_process, (floe_connection*, int))
FUNCTION(int, floe_control,
         (floe_connection*, uint32_t, uint32_t, uint64_t, const void*, size_t, int, int32_t*,
          floe_value*))

/* FLOE_CLIENT_0.2 */
#define FUNCTION_0_2(result, name, ...) FUNCTION(result, name, __VA_ARGS__)
FUNCTION_0_2(int, floe_tunnel_open, (floe_connection*, uint64_t, floe_tunnel_handler, void*))
FUNCTION_0_2(int, floe_tunnel_send,
             (floe_connection*, uint32_t, uint64_t, uint32_t, const void*, size_t))
FUNCTION_0_2(int, floe_nodes, (floe_connection*, uint32_t, int, uint32_t*, size_t, size_t*))
FUNCTION_0_2(int, floe_control_many,
             (floe_connection*, const uint32_t*, size_t, uint32_t, uint64_t, const void*, size_t,
              int, floe_node_result*))
FUNCTION_0_2(int, floe_send_many,
             (floe_connection*, const uint32_t*, size_t, uint64_t, const void*, size_t))
FUNCTION_0_2(int, floe_process_exists, (floe_connection*, uint32_t, int32_t, uint64_t, int))
FUNCTION_0_2(int, floe_detach, (floe_connection*, floe_db, int))
FUNCTION_0_2(int, floe_watch_recoveries, (floe_connection*, floe_recovery_handler, void*))

static int visits(const void* key, size_t key_size, const void* data, size_t data_size,
                  const floe_header* header, void* context) {
  (void)key, (void)key_size, (void)data, (void)data_size, (void)header, (void)context;
  return 0;
}
static void hears(uint64_t srvid, uint32_t from, const void* data, size_t size, void* context) {
  (void)srvid, (void)from, (void)data, (void)size, (void)context;
}
static void arrives(uint64_t tunnel, uint32_t flags, const void* data, size_t size, void* context) {
  (void)tunnel, (void)flags, (void)data, (void)size, (void)context;
}
static void recovers(floe_db db, floe_phase phase, int recovering, void* context) {
  (void)db, (void)phase, (void)recovering, (void)context;
}
const floe_tunnel_handler abi_arrives = arrives;
const floe_recovery_handler abi_recovers = recovers;
const floe_visitor abi_visits = visits;
const floe_handler abi_hears = hears;

#define NUMBER(what, is) _Static_assert((what) == (is), #what " is " #is)
NUMBER(sizeof(floe_db), 4);
NUMBER(sizeof(floe_header), 16);
NUMBER(offsetof(floe_header, rsn), 0);
NUMBER(offsetof(floe_header, dmaster), 8);
NUMBER(offsetof(floe_header, flags), 12);
NUMBER(sizeof(floe_value), 2 * sizeof(void*) + 24);
NUMBER(offsetof(floe_value, data), 0);
NUMBER(offsetof(floe_value, size), sizeof(void*));
NUMBER(offsetof(floe_value, header), 2 * sizeof(void*));
NUMBER(offsetof(floe_value, exists), 2 * sizeof(void*) + 16);

NUMBER(sizeof(floe_node_result), sizeof(floe_value) + 16);
NUMBER(offsetof(floe_node_result, pnn), 0);
NUMBER(offsetof(floe_node_result, error), 4);
NUMBER(offsetof(floe_node_result, status), 8);
NUMBER(offsetof(floe_node_result, value), 16);

NUMBER(FLOE_SERVING, 0);
NUMBER(FLOE_FREEZING, 1);
NUMBER(FLOE_FROZEN, 2);
NUMBER(FLOE_EXCHANGING, 3);
NUMBER(FLOE_TUNNEL_REQUEST, 1);
NUMBER(FLOE_TUNNEL_REPLY, 2);
NUMBER(FLOE_OK, 0);
NUMBER(FLOE_EINVAL, -1);
NUMBER(FLOE_ENOTCONN, -2);
NUMBER(FLOE_ETIMEOUT, -3);
NUMBER(FLOE_EREFUSED, -4);
NUMBER(FLOE_ELOST, -5);
NUMBER(FLOE_EREPLY, -6);
NUMBER(FLOE_ENOENT, -7);
NUMBER(FLOE_ENOLOCK, -8);
NUMBER(FLOE_ESTORE, -9);
NUMBER(FLOE_ENOMEM, -10);
NUMBER(FLOE_ECHANGED, -11);
NUMBER(FLOE_FOREVER, -1);
NUMBER(FLOE_HERE, 0xF0000001);
NUMBER(FLOE_ALL, 0xF0000002);
NUMBER(FLOE_ACTIVE, 0xF0000003);
NUMBER(FLOE_CONNECTED, 0xF0000004);
NUMBER(FLOE_RECONNECT, 1);
NUMBER(FLOE_PRIVILEGED, 2);
NUMBER(FLOE_COMPANION, 4);
NUMBER(FLOE_VOLATILE, 0);
NUMBER(FLOE_PERSISTENT, 1);
NUMBER(FLOE_REPLICATED, 2);
NUMBER(FLOE_READ_OWNER, 0);
NUMBER(FLOE_READ_SETTLED, 1);
NUMBER(FLOE_READ_COPY, 2);
NUMBER(FLOE_WITH_EMPTY, 1);
NUMBER(FLOE_LOCAL, 2);
