#ifndef FLOE_CLIENT_H
#define FLOE_CLIENT_H
/*
 * The C interface of floe: records, transactions, traverses and messages of a cluster, by way of the node on this
 * machine. Link with -lfloe-client (pkg-config floe-client).
 *
 *   floe_connection *c;
 *   floe_db db;
 *   floe_lock *lock;
 *   if (floe_connect("/run/floe", 0, 3000, &c) != FLOE_OK) die(floe_error_text());
 *   floe_attach(c, "locking.tdb", FLOE_VOLATILE, 3000, &db);
 *   if (floe_lock_record(c, db, "key", 3, 10000, &lock) == FLOE_OK) {
 *     floe_store(lock, "value", 5);
 *     floe_unlock(lock);
 *   }
 *   floe_disconnect(c);
 *
 * Results: every function that can fail returns a floe_error; FLOE_OK is 0, all others are negative. What happened, in
 * words, is floe_error_text(), until the same thread calls another function. No exception ever leaves the library.
 *
 * Time: all limits are milliseconds. FLOE_FOREVER waits as long as it takes; the node shows who waits for what
 * (`floe locks`), and the wait ends with FLOE_ELOST when the node does.
 *
 * Threads: a connection may be used by any number of threads at once; while one waits others go on. A lock or a
 * transaction is used by one thread at a time.
 *
 * fork: the child has nothing of its parent's: the inherited connection is closed in the child at once, its next call
 * connects anew (and floe_fd has another number), locks and transactions of the parent answer FLOE_ENOLOCK there and need
 * only be freed, registrations for messages are gone. The parent notices nothing. exec closes all descriptors.
 *
 * Lifetime: what a function gives out is the caller's: locks until floe_unlock, transactions until commit or cancel,
 * values until floe_free. Locks and transactions end before their connection does. Keys and data are octets, NULs
 * included; a key has at least one. A record lock is not recursive: who holds it and asks again waits for itself.
 *
 * Mistakes: FLOE_EINVAL, and nothing is done, if a pointer that is needed is null, if there are no data though they have a
 * size, and if more than 64 MiB would go to the node at once: a record, a message, or all stores of one transaction.
 *
 * A lost node: locks that were held are void, as the node forgot them when the connection ended. With FLOE_RECONNECT
 * the next call connects anew, attaches the same databases and listens to the same messages; without it every call
 * answers FLOE_ELOST.
 *
 * Versions: functions under "interface 0.2" came later and have the symbol version FLOE_CLIENT_0.2: a program that uses one
 * does not start with a library that lacks them, all others do. FLOE_CLIENT_0 is the interface without them.
 *
 * Records need a floe node; controls, messages and traverses work with the socket of Samba's ctdbd, too.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FLOE_API __attribute__((visibility("default")))

typedef struct floe_connection floe_connection;
typedef struct floe_lock floe_lock;
typedef struct floe_transaction floe_transaction;
typedef uint32_t floe_db; /* the id of a database, the same on all nodes */

typedef enum floe_error {
  FLOE_OK = 0,
  FLOE_EINVAL = -1,   /* an argument makes no sense */
  FLOE_ENOTCONN = -2, /* nobody listens there, or may be asked by this user; nothing was asked */
  FLOE_ETIMEOUT =
      -3, /* not granted, or not answered, in time; for all but locks it is not known whether it was done */
  FLOE_EREFUSED = -4, /* the node says no; its words are in the text */
  FLOE_ELOST = -5,    /* the connection broke; whether the request was carried out is not known */
  FLOE_EREPLY = -6,   /* the answer cannot be understood */
  FLOE_ENOENT = -7,   /* no such record or database */
  FLOE_ENOLOCK = -8,  /* not held (any more) by this process and connection */
  FLOE_ESTORE = -9,   /* the node could not write; what was there is still there */
  FLOE_ENOMEM = -10,
  FLOE_ECHANGED =
      -11 /* a transaction: nothing is stored, a recovery changed the database under it */
} floe_error;

#define FLOE_FOREVER (-1)
#define FLOE_HERE 0xF0000001u      /* pnn: the node of this connection */
#define FLOE_ALL 0xF0000002u       /* messages: every node */
#define FLOE_ACTIVE 0xF0000003u    /* messages: every node that takes part in databases */
#define FLOE_CONNECTED 0xF0000004u /* messages: every node that is connected */

/* What the last call of this thread that failed had to say; never null. */
FLOE_API const char* floe_error_text(void);
/* "FLOE_ETIMEOUT"; never null. */
FLOE_API const char* floe_error_name(int error);
/* "0.1.0", of the library that runs. */
FLOE_API const char* floe_version(void);

/* ---- connections ------------------------------------------------------------------------------------------------ */

enum {
  FLOE_RECONNECT = 1, /* connect anew after a loss, see above */
  FLOE_PRIVILEGED =
      2, /* if this thread acts for another user, but may be root, be root while connecting */
  FLOE_COMPANION =
      4 /* this process has a connection of its own beside this one, and lives by that: PROCESS_EXISTS */
        /* does not count this one */
};

/* `where`: the path of the node's socket, or the node's directory (which has run/ctdbd.socket). */
FLOE_API int floe_connect(const char* where, unsigned flags, int timeout_ms, floe_connection** out);
/* Gives everything back. Null is allowed. No other thread may be in a call with this connection. */
FLOE_API void floe_disconnect(floe_connection*);
/* The number of the node of this connection; 0xFFFFFFFF: there is no connection. */
FLOE_API uint32_t floe_pnn(floe_connection*);
/* How long the calls without a limit of their own (store, unlock, messages) wait for the node; first 60000. */
FLOE_API void floe_set_patience(floe_connection*, int timeout_ms);
/* Readable when floe_process has something to do. Another one after a fork or a reconnect; negative: FLOE_E... */
FLOE_API int floe_fd(floe_connection*);

/* ---- databases -------------------------------------------------------------------------------------------------- */

typedef enum floe_kind { FLOE_VOLATILE = 0, FLOE_PERSISTENT = 1, FLOE_REPLICATED = 2 } floe_kind;

/* Makes the database on all nodes if need be. FLOE_VOLATILE finds one of any kind that has this name. */
FLOE_API int floe_attach(floe_connection*, const char* name, floe_kind, int timeout_ms,
                         floe_db* out);
/* Of a database that is attached. FLOE_ENOENT: none of this name. Either pointer may be null. */
FLOE_API int floe_find(floe_connection*, const char* name, int timeout_ms, floe_db* out,
                       floe_kind* kind);
/* Of a volatile database: this node may have read-only copies of records that others own, and others of what this node
 * owns. Many nodes then read a record at once; who writes it waits until their copies are called back. Holds until the
 * node ends; to be said to every node that is to have copies. */
FLOE_API int floe_allow_copies(floe_connection*, floe_db, int timeout_ms);
/*
 * Moves with every transaction (persistent, replicated). Of a volatile database: moves after every change of what this node
 * has, by whomever, when a record leaves it, and with every recovery, and is never again what it was, also after the node was
 * started anew; whoever keeps what he has read under the number of before the read does not keep it for too long. It is read
 * in memory that the node shares; who asks for it seldom asks the node, which must answer for that memory again after a
 * second. FLOE_EREFUSED: nobody counts, since the node shares nothing (tunable RecordTable), or cannot at the moment.
 */
FLOE_API int floe_sequence_number(floe_connection*, floe_db, int timeout_ms, uint64_t* out);

/* ---- records ---------------------------------------------------------------------------------------------------- */

typedef struct floe_header {
  uint64_t rsn;     /* counts writes and moves */
  uint32_t dmaster; /* the node that owns the record */
  uint32_t flags;
} floe_header;

typedef struct floe_value {
  void* data; /* to be freed with floe_free; null if there are no octets */
  size_t size;
  floe_header header;
  int exists; /* 0: nothing at all is known of this key here; the header is what a first request would find */
} floe_value;
/* Null, and values of calls that have failed, are allowed: those are empty. */
FLOE_API void floe_free(floe_value*);

/*
 * Brings the record of a volatile database to this node and locks it in the whole cluster. First come, first served.
 * timeout_ms 0: not longer than a millisecond, which is a record that is here and free.
 * FLOE_ETIMEOUT: somebody else has it; the text says who.
 */
FLOE_API int floe_lock_record(floe_connection*, floe_db, const void* key, size_t key_size,
                              int timeout_ms, floe_lock** out);
/* What the record holds, with the stores of this lock; valid until the next call with this lock. Never fails. */
FLOE_API const void* floe_lock_data(const floe_lock*, size_t* size);
FLOE_API void floe_lock_header(const floe_lock*, floe_header* out);
/* Returns when the node has it. No octets: as floe_delete. */
FLOE_API int floe_store(floe_lock*, const void* data, size_t size);
FLOE_API int floe_delete(floe_lock*);
/* Gives the lock back and frees it, whatever the result. Does not wait for the node. */
FLOE_API int floe_unlock(floe_lock*);

enum {
  FLOE_READ_OWNER =
      0, /* the record comes here first, or a read-only copy of it where they are allowed
                            (floe_allow_copies): nobody has a newer value */
  FLOE_READ_SETTLED =
      1, /* this node's copy, after who holds it here now; waits out a recovery. Of a persistent or
                            replicated database the header may name this node as dmaster, whoever it is */
  FLOE_READ_COPY = 2 /* this node's copy as it is, for diagnosis */
};
/* FLOE_ENOENT, with `out` filled: there is no such record, or an empty one. */
FLOE_API int floe_read(floe_connection*, floe_db, const void* key, size_t key_size, int how,
                       int timeout_ms, floe_value* out);

/* Shows a record; anything but 0 ends the walk. May call other functions of this connection. */
typedef int (*floe_visitor)(const void* key, size_t key_size, const void* data, size_t data_size,
                            const floe_header* header, void* context);
enum {
  FLOE_WITH_EMPTY = 1, /* deleted records that are not yet forgotten, too */
  FLOE_LOCAL = 2       /* this node's copies only, in the order of its store */
};
/* Every record, no snapshot: what moves meanwhile may come twice or not at all. `count` may be null. */
FLOE_API int floe_traverse(floe_connection*, floe_db, unsigned flags, int timeout_ms, floe_visitor,
                           void* context, uint64_t* count);

/* ---- transactions of persistent and replicated databases ---------------------------------------------------------- */

/*
 * Waits for transactions of others, on all nodes: it holds the cluster-wide lock that CTDB's own programs use. timeout_ms 0:
 * FLOE_ETIMEOUT if another transaction is going on; the node's answers are waited for nevertheless (floe_set_patience).
 */
FLOE_API int floe_transaction_start(floe_connection*, floe_db, int timeout_ms,
                                    floe_transaction** out);
/* As the transaction has left it, else as it is stored. FLOE_ENOENT: there is no such record. */
FLOE_API int floe_transaction_read(floe_transaction*, const void* key, size_t key_size,
                                   floe_value* out);
/* No octets: the record is deleted. Nothing is sent before the commit. FLOE_EINVAL for the record in which the database
 * keeps its sequence number: every commit writes that one. */
FLOE_API int floe_transaction_store(floe_transaction*, const void* key, size_t key_size,
                                    const void* data, size_t size);
/*
 * All of it on all nodes, or nothing; frees the transaction, whatever the result. FLOE_OK: stored, durable.
 * FLOE_EREFUSED, FLOE_ECHANGED, FLOE_EINVAL: nothing is stored, nor will be. FLOE_ETIMEOUT, FLOE_ELOST: not known, but all or
 * nothing.
 */
FLOE_API int floe_transaction_commit(floe_transaction*, int timeout_ms);
FLOE_API void floe_transaction_cancel(floe_transaction*);

/* ---- messages --------------------------------------------------------------------------------------------------- */

typedef void (*floe_handler)(uint64_t srvid, uint32_t from_pnn, const void* data, size_t size,
                             void* context);
/* One handler per srvid; it runs within floe_process. Null ends it. */
FLOE_API int floe_listen(floe_connection*, uint64_t srvid, floe_handler, void* context);
/* For whoever listens to the srvid on that node, or on many (FLOE_ALL ...). Nobody answers. */
FLOE_API int floe_send(floe_connection*, uint32_t pnn, uint64_t srvid, const void* data,
                       size_t size);
/*
 * Runs handlers for all messages that have come, waiting up to timeout_ms for the first. Not negative: how many.
 * 65536 messages wait; further ones are dropped, and the next call answers FLOE_ELOST once to say so.
 */
FLOE_API int floe_process(floe_connection*, int timeout_ms);

/* ---- tunnels (interface 0.2) ------------------------------------------------------------------------------------ */

enum { FLOE_TUNNEL_REQUEST = 1, FLOE_TUNNEL_REPLY = 2 }; /* handed on as they are */
typedef void (*floe_tunnel_handler)(uint64_t tunnel, uint32_t flags, const void* data, size_t size,
                                    void* context);
/*
 * Packets for this tunnel id; the handler runs within floe_process. One client of a node at a time: FLOE_EREFUSED, another
 * has it. Null closes it. Who sent a packet is known only if its data say so.
 */
FLOE_API int floe_tunnel_open(floe_connection*, uint64_t tunnel, floe_tunnel_handler,
                              void* context);
/* Through a tunnel that is open here, to who has opened it on one node (a pnn, none of FLOE_HERE ...). Nobody answers. */
FLOE_API int floe_tunnel_send(floe_connection*, uint32_t pnn, uint64_t tunnel, uint32_t flags,
                              const void* data, size_t size);

/* ---- the cluster (interface 0.2) -------------------------------------------------------------------------------- */

/*
 * The nodes of a kind, as this node sees them: FLOE_ALL (of the nodes file), FLOE_CONNECTED, FLOE_ACTIVE (they take part in
 * databases). `count`: how many there are; the first `room` of them are put into `pnns`, which may be null if room is 0.
 */
FLOE_API int floe_nodes(floe_connection*, uint32_t kind, int timeout_ms, uint32_t* pnns,
                        size_t room, size_t* count);

typedef struct floe_node_result {
  uint32_t pnn;
  int error;        /* FLOE_OK, or why this node has given no answer */
  int32_t status;   /* the answer's */
  floe_value value; /* its data; each to be freed with floe_free */
} floe_node_result;
/*
 * A control of the protocol by its number, to several nodes at once: one result for each, in the order given; takes as long
 * as the slowest, at most timeout_ms. FLOE_OK also if some, or all, have failed: each result says so by itself.
 */
FLOE_API int floe_control_many(floe_connection*, const uint32_t* pnns, size_t count,
                               uint32_t opcode, uint64_t srvid, const void* data, size_t size,
                               int timeout_ms, floe_node_result* out);
/* The same message to several nodes. Nobody answers. */
FLOE_API int floe_send_many(floe_connection*, const uint32_t* pnns, size_t count, uint64_t srvid,
                            const void* data, size_t size);

/*
 * Whether a process is a client of that node, and alive; with a srvid that is not 0: whether it listens to that one, which
 * tells it apart from a later process of the same number. FLOE_ENOENT: no. Other failures: it is not known.
 */
FLOE_API int floe_process_exists(floe_connection*, uint32_t pnn, int32_t pid, uint64_t srvid,
                                 int timeout_ms);

/* All nodes forget the volatile database and its records. FLOE_EREFUSED while clients may attach (AllowClientDBAttach). */
FLOE_API int floe_detach(floe_connection*, floe_db, int timeout_ms);

typedef enum floe_phase {
  FLOE_SERVING = 0,
  FLOE_FREEZING = 1, /* nothing new is granted, who holds a record lock finishes */
  FLOE_FROZEN =
      2, /* waits for other nodes; of a stopped or banned node: until it takes part again */
  FLOE_EXCHANGING = 3 /* its records are collected, merged and given out */
} floe_phase;
/*
 * How far a recovery is on this node, so that a program can say why it waits. db 0: the node as a whole, recovering or not;
 * else a database. Runs within floe_process: at first for all that is so then, later for every change; anew after a
 * reconnect. Null ends it. Nothing comes from a ctdbd.
 */
typedef void (*floe_recovery_handler)(floe_db db, floe_phase phase, int recovering, void* context);
FLOE_API int floe_watch_recoveries(floe_connection*, floe_recovery_handler, void* context);

/* ---- anything else ---------------------------------------------------------------------------------------------- */

/* A control of the protocol by its number, to one node. `status`: the answer's, not negative; both may be null. */
FLOE_API int floe_control(floe_connection*, uint32_t pnn, uint32_t opcode, uint64_t srvid,
                          const void* data, size_t size, int timeout_ms, int32_t* status,
                          floe_value* out);

#ifdef __cplusplus
}
#endif
#endif
