/* Any call of floe/client.h, with any arguments, in any order, from four threads and from children: no crash, nothing that
 * takes much longer than its limit, every failure with a code and words, and no increment lost that was acknowledged.
 *
 *   torture NODE SEED STEPS      prints "stored N, perhaps M more, there S" for the records that it has counted up
 *
 * The node may be stopped, banned or cut off under it. If it is killed, what only it had is gone.
 */
#include <floe/client.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { threads = 4, records = 6, slack_ms = 30000, own_messages = 0x7F0001, own_tunnel = 0x7F0002 };

static struct { atomic_long stored, perhaps, failed, heard; } * seen; /* shared with children */
static const char* where;
static floe_connection* shared_one;
static floe_db counted, persistent;
static char* large;
static const size_t large_size = 200 << 20;

struct actor {
  unsigned seed;
  floe_connection* own;
  const char* doing;
};

static void die(const struct actor* a, const char* what) {
  fprintf(stderr, "%s: %s: %s\n", a->doing, what, floe_error_text());
  abort();
}

static unsigned any(struct actor* a, unsigned below) { return (unsigned)rand_r(&a->seed) % below; }

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Of a call that was to take `limit_ms` at most: one of the codes of the header, with words. */
static int checked(struct actor* a, int result, long begun, int limit_ms) {
  if (now_ms() - begun > limit_ms + slack_ms) die(a, "took too long");
  if (result >= 0) return result;
  atomic_fetch_add(&seen->failed, 1);
  if (result < FLOE_ECHANGED || strncmp(floe_error_name(result), "FLOE_E", 6) != 0)
    die(a, "an unknown code");
  if (!*floe_error_text()) die(a, "no words");
  return result;
}

#define CALL(limit_ms, call) \
  (a->doing = #call, begun = now_ms(), checked(a, (call), begun, (limit_ms)))

static void no_mistake_goes_through(struct actor* a, int result) {
  if (result != FLOE_EINVAL) die(a, "is no FLOE_EINVAL");
}

static void heard(uint64_t s, uint32_t from, const void* data, size_t size, void* context) {
  (void)s, (void)from, (void)data, (void)size, (void)context;
  atomic_fetch_add(&seen->heard, 1);
}
static void heard_packet(uint64_t t, uint32_t flags, const void* data, size_t size, void* context) {
  (void)t, (void)flags, (void)data, (void)size, (void)context;
}
static void heard_phase(floe_db db, floe_phase phase, int recovering, void* context) {
  (void)db, (void)phase, (void)recovering, (void)context;
}
static int shown(const void* k, size_t ks, const void* d, size_t ds, const floe_header* h,
                 void* context) {
  (void)k, (void)ks, (void)d, (void)ds, (void)h;
  return --*(int*)context <= 0;
}

static long number_in(const void* data, size_t size) {
  char text[32] = {0};
  memcpy(text, data ? data : "", size < sizeof text ? size : sizeof text - 1);
  return atol(text);
}

static void count_up(struct actor* a, floe_connection* c) {
  const int limits[] = {0, 1, 50, 500, 3000};
  const int limit = limits[any(a, 5)];
  const char key = (char)('a' + any(a, records));
  floe_lock* l = NULL;
  long begun;
  if (CALL(limit, floe_lock_record(c, counted, &key, 1, limit, &l)) != FLOE_OK) {
    if (l) die(a, "a lock beside a failure");
    return;
  }
  if (any(a, 20) == 0) {
    floe_lock* again = NULL;
    if (CALL(1, floe_lock_record(c, counted, &key, 1, 1, &again)) == FLOE_OK)
      die(a, "locked twice");
  }
  char text[32];
  size_t size = 0;
  const void* data = floe_lock_data(l, &size);
  const int length = snprintf(text, sizeof text, "%ld", number_in(data, size) + 1);
  const int stored = CALL(3000, floe_store(l, text, (size_t)length));
  if (stored == FLOE_OK) atomic_fetch_add(&seen->stored, 1);
  if (stored == FLOE_ETIMEOUT || stored == FLOE_ELOST) atomic_fetch_add(&seen->perhaps, 1);
  if (any(a, 30) == 0) no_mistake_goes_through(a, CALL(0, floe_store(l, large, large_size)));
  if (any(a, 30) == 0) no_mistake_goes_through(a, CALL(0, floe_store(l, NULL, 7)));
  (void)CALL(3000, floe_unlock(l));
}

static void transact(struct actor* a, floe_connection* c) {
  floe_transaction* t = NULL;
  floe_value v;
  long begun;
  if (CALL(1000, floe_transaction_start(c, persistent, 1000, &t)) != FLOE_OK) return;
  const int read = CALL(3000, floe_transaction_read(t, "n", 1, &v));
  char text[32];
  const int length = snprintf(text, sizeof text, "%ld", number_in(v.data, v.size) + 1);
  floe_free(&v);
  no_mistake_goes_through(a,
                          CALL(0, floe_transaction_store(t, "__db_sequence_number__", 23, "x", 1)));
  const int stored = CALL(3000, floe_transaction_store(t, "n", 1, text, (size_t)length));
  if (any(a, 4) == 0 || (read != FLOE_OK && read != FLOE_ENOENT) || stored != FLOE_OK) {
    floe_transaction_cancel(t);
    return;
  }
  const int done = CALL(5000, floe_transaction_commit(t, 5000));
  if (done == FLOE_OK) atomic_fetch_add(&seen->stored, 1);
  if (done == FLOE_ETIMEOUT || done == FLOE_ELOST) atomic_fetch_add(&seen->perhaps, 1);
}

static void look(struct actor* a, floe_connection* c) {
  const char key = (char)('a' + any(a, records + 1));
  floe_value v;
  long begun;
  int most = (int)any(a, 5);
  uint64_t n;
  switch (any(a, 3)) {
    case 0: {
      const int how = (int)any(a, 3);
      if (CALL(2000, floe_read(c, any(a, 5) ? counted : persistent, &key, 1, how, 2000, &v)) ==
              FLOE_OK &&
          !v.data)
        die(a, "no data");
      floe_free(&v);
      break;
    }
    case 1: (void)CALL(2000, floe_traverse(c, counted, any(a, 4), 2000, shown, &most, &n)); break;
    default: (void)CALL(2000, floe_sequence_number(c, any(a, 2) ? counted : persistent, 2000, &n));
  }
}

static void talk(struct actor* a, floe_connection* c) {
  const uint32_t to[] = {FLOE_HERE, FLOE_ALL, FLOE_ACTIVE, 0, 77};
  uint32_t nodes[8];
  floe_node_result results[8];
  size_t count = 0;
  long begun;
  switch (any(a, 9)) {
    case 0:
      (void)CALL(3000, floe_listen(c, own_messages + any(a, 3), any(a, 3) ? heard : NULL, NULL));
      break;
    case 1:
      (void)CALL(3000, floe_send(c, to[any(a, 5)], own_messages + any(a, 3), large, any(a, 5000)));
      break;
    case 2: (void)CALL(20, floe_process(c, 20)); break;
    case 3:
      (void)CALL(3000, floe_tunnel_open(c, own_tunnel, any(a, 3) ? heard_packet : NULL, NULL));
      break;
    case 4:
      (void)CALL(3000, floe_tunnel_send(c, 0, own_tunnel, any(a, 3), large, any(a, 3000)));
      break;
    case 5:
      if (CALL(2000, floe_nodes(c, FLOE_CONNECTED, 2000, nodes, 8, &count)) != FLOE_OK) break;
      nodes[count++] = 77;
      if (CALL(2000, floe_control_many(c, nodes, count, 35, 0, NULL, 0, 2000, results)) != FLOE_OK)
        break;
      for (size_t i = 0; i < count; ++i) floe_free(&results[i].value);
      break;
    case 6:
      (void)CALL(2000, floe_process_exists(c, FLOE_HERE, (int32_t)any(a, 99999), any(a, 2), 2000));
      break;
    case 7: (void)CALL(3000, floe_watch_recoveries(c, any(a, 2) ? heard_phase : NULL, NULL)); break;
    default: {
      const int fd = CALL(3000, floe_fd(c));
      struct pollfd p = {fd, POLLIN, 0};
      if (fd >= 0) (void)poll(&p, 1, 5);
    }
  }
}

static void blunder(struct actor* a, floe_connection* c) {
  floe_lock* l = NULL;
  floe_transaction* t = NULL;
  floe_connection* none = NULL;
  floe_value v;
  floe_db db;
  size_t count;
  long begun;
  switch (any(a, 12)) {
    case 0:
      no_mistake_goes_through(a, CALL(0, floe_lock_record(NULL, counted, "a", 1, 0, &l)));
      break;
    case 1: no_mistake_goes_through(a, CALL(0, floe_lock_record(c, counted, "", 0, 0, &l))); break;
    case 2:
      no_mistake_goes_through(a, CALL(0, floe_lock_record(c, counted, NULL, 3, 0, &l)));
      break;
    case 3: no_mistake_goes_through(a, CALL(0, floe_read(c, counted, "a", 1, 17, 0, &v))); break;
    case 4: no_mistake_goes_through(a, CALL(0, floe_connect(where, 0xFF00, 0, &none))); break;
    case 5: no_mistake_goes_through(a, CALL(0, floe_attach(c, NULL, FLOE_VOLATILE, 0, &db))); break;
    case 6: no_mistake_goes_through(a, CALL(0, floe_nodes(c, FLOE_ALL, 0, NULL, 3, &count))); break;
    case 7: no_mistake_goes_through(a, CALL(0, floe_store(NULL, "x", 1))); break;
    case 8:
      if (CALL(2000, floe_read(c, any(a, 1u << 31), "a", 1, 0, 2000, &v)) >= 0)
        die(a, "no such database");
      break;
    case 9:
      if (CALL(2000, floe_transaction_start(c, counted, 2000, &t)) >= 0) die(a, "it is volatile");
      break;
    case 10:
      if (CALL(2000, floe_attach(c, "a/b", FLOE_VOLATILE, 2000, &db)) >= 0) die(a, "no name");
      break;
    default:
      (void)CALL(2000, floe_control(c, FLOE_HERE, 100000 + any(a, 1000), 0, large, any(a, 300),
                                    2000, NULL, NULL));
  }
}

/* In the child of a fork nothing of the parent is left, not even of what another thread is at. */
static void fork_with_a_lock(struct actor* a) {
  floe_lock* l = NULL;
  floe_value v;
  long begun;
  const char key = (char)('a' + any(a, records));
  (void)CALL(500, floe_lock_record(shared_one, counted, &key, 1, 500, &l));
  const pid_t child = fork();
  if (child == 0) {
    alarm(100);
    if (l && CALL(0, floe_store(l, "999999999", 9)) != FLOE_ENOLOCK) die(a, "the parent's lock");
    if (l && CALL(0, floe_unlock(l)) != FLOE_ENOLOCK) die(a, "the parent's lock");
    a->own = NULL;
    for (int i = 0; i < 5; ++i) {
      count_up(a, shared_one);
      look(a, shared_one);
    }
    (void)CALL(2000, floe_read(shared_one, counted, "a", 1, FLOE_READ_COPY, 2000, &v));
    _exit(0);
  }
  if (l) (void)CALL(3000, floe_unlock(l));
  int status = 0;
  if (child > 0 && (waitpid(child, &status, 0) != child || status != 0)) die(a, "a child has died");
}

static void step(struct actor* a) {
  floe_connection* c = a->own && any(a, 2) ? a->own : shared_one;
  const unsigned what = any(a, 200);
  long begun;
  if (what < 90) {
    count_up(a, c);
  } else if (what < 130) {
    look(a, c);
  } else if (what < 160) {
    talk(a, c);
  } else if (what < 180) {
    blunder(a, c);
  } else if (what < 192) {
    transact(a, c);
  } else if (what < 196) {
    fork_with_a_lock(a);
  } else {
    if (a->own) floe_disconnect(a->own);
    a->own = NULL;
    if (CALL(3000, floe_connect(where, FLOE_RECONNECT, 3000, &a->own)) == FLOE_OK)
      floe_set_patience(a->own, 3000);
  }
}

static int steps;
static void* act(void* of) {
  struct actor* a = of;
  for (int i = 0; i < steps; ++i) step(a);
  floe_disconnect(a->own);
  return NULL;
}

/* Its node may be down at this moment, to be started again. */
static int read_in_the_end(floe_connection* c, floe_db db, const char* key, int how,
                           floe_value* v) {
  int code = floe_read(c, db, key, 1, how, 60000, v);
  for (int i = 0; (code == FLOE_ELOST || code == FLOE_ENOTCONN) && i < 600; ++i) {
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    code = floe_read(c, db, key, 1, how, 60000, v);
  }
  return code;
}

static long there(floe_connection* c, floe_db db, const char* key, int how) {
  floe_value v;
  const int code = read_in_the_end(c, db, key, how, &v);
  if (code != FLOE_OK && code != FLOE_ENOENT) {
    fprintf(stderr, "the end: %s\n", floe_error_text());
    exit(1);
  }
  const long n = number_in(v.data, v.size);
  floe_free(&v);
  return n;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  where = argv[1];
  steps = atoi(argv[3]) / threads;
  seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  large = mmap(NULL, large_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (seen == MAP_FAILED || large == MAP_FAILED) return 2;
  if (floe_connect(where, FLOE_RECONNECT, 10000, &shared_one) != FLOE_OK ||
      floe_attach(shared_one, "torture.tdb", FLOE_VOLATILE, 30000, &counted) != FLOE_OK ||
      floe_attach(shared_one, "torture-p.tdb", FLOE_PERSISTENT, 30000, &persistent) != FLOE_OK) {
    fprintf(stderr, "the beginning: %s\n", floe_error_text());
    return 1;
  }
  floe_set_patience(shared_one, 3000);
  struct actor actors[threads];
  pthread_t running[threads];
  for (int i = 0; i < threads; ++i) {
    actors[i] = (struct actor){
        .seed = (unsigned)atoi(argv[2]) * threads + (unsigned)i, .own = NULL, .doing = ""};
    if (pthread_create(&running[i], NULL, act, &actors[i]) != 0) return 2;
  }
  for (int i = 0; i < threads; ++i) pthread_join(running[i], NULL);
  long sum = there(shared_one, persistent, "n", FLOE_READ_SETTLED);
  for (int i = 0; i < records; ++i) {
    const char key = (char)('a' + i);
    sum += there(shared_one, counted, &key, FLOE_READ_OWNER);
  }
  printf("stored %ld, perhaps %ld more, there %ld; %ld calls failed, %ld messages heard\n",
         (long)seen->stored, (long)seen->perhaps, sum, (long)seen->failed, (long)seen->heard);
  floe_disconnect(shared_one);
  return 0;
}
