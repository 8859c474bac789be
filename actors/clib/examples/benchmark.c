/*
 * How fast records are on this node: locks, stores and unlocks a record, then reads it without a lock.
 *
 *   benchmark NODE [SECONDS] [KEY]     one second of each, of a record of its own, unless told otherwise
 *
 * Started several times with the same KEY, on one node or on several, it shows what sharing a record costs.
 */
#include <floe/client.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void check(int result, const char* doing) {
  if (result >= 0) return;
  fprintf(stderr, "benchmark: %s: %s\n", doing, floe_error_text());
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct record {
  floe_connection* node;
  floe_db db;
  const char* key;
};

static void update(const struct record* r) {
  static uint64_t value;
  floe_lock* lock;
  check(floe_lock_record(r->node, r->db, r->key, strlen(r->key), 30000, &lock), "lock");
  ++value;
  check(floe_store(lock, &value, sizeof value), "store");
  check(floe_unlock(lock), "unlock");
}

static void look(const struct record* r) {
  floe_value value;
  check(floe_read(r->node, r->db, r->key, strlen(r->key), FLOE_READ_SETTLED, 30000, &value),
        "read");
  floe_free(&value);
}

/* Does it again and again, and says how often that was in a second, and how long the slowest took. */
static void measure(const char* what, void (*work)(const struct record*), const struct record* r,
                    double seconds) {
  const double begin = now();
  double last = begin, longest = 0;
  uint64_t count = 0;
  while (last - begin < seconds) {
    work(r);
    const double next = now();
    if (next - last > longest) longest = next - last;
    last = next;
    ++count;
  }
  printf("%-22s %12.0f /s, longest %.3f ms\n", what, (double)count / (last - begin),
         longest * 1000);
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: benchmark NODE [SECONDS] [KEY]\n");
    return 2;
  }
  const double seconds = argc > 2 ? atof(argv[2]) : 1;
  char own[32];
  struct record r;
  snprintf(own, sizeof own, "process %d", (int)getpid());
  r.key = argc > 3 ? argv[3] : own;
  check(floe_connect(argv[1], 0, 10000, &r.node), "connect");
  check(floe_attach(r.node, "benchmark.tdb", FLOE_VOLATILE, 10000, &r.db), "attach");
  measure("lock, store, unlock", update, &r, seconds);
  measure("read without a lock", look, &r, seconds);
  floe_disconnect(r.node);
  return 0;
}
