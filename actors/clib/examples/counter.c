/*
 * A counter that many nodes increment: the record is locked, read, written, unlocked, so that no step is lost.
 *
 *   counter NODE [TIMES]     prints the value after the last step
 *
 * NODE is the directory or the socket of the node on this machine.
 */
#include <floe/client.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int result, const char* doing) {
  if (result == FLOE_OK) return;
  fprintf(stderr, "counter: %s: %s\n", doing, floe_error_text());
  exit(1);
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: counter NODE [TIMES]\n");
    return 2;
  }
  const long times = argc > 2 ? atol(argv[2]) : 1;
  static const char key[] = "visitors";
  uint64_t value = 0;
  floe_connection* node;
  floe_db db;

  check(floe_connect(argv[1], 0, 10000, &node), "connect");
  check(floe_attach(node, "counter.tdb", FLOE_VOLATILE, 10000, &db), "attach");
  for (long i = 0; i < times; ++i) {
    floe_lock* lock;
    size_t size;
    check(floe_lock_record(node, db, key, sizeof key - 1, 30000, &lock), "lock");
    const void* data = floe_lock_data(lock, &size);
    if (size == sizeof value)
      memcpy(&value, data, sizeof value);
    else
      value = 0; /* nobody was here before */
    ++value;
    check(floe_store(lock, &value, sizeof value), "store");
    check(floe_unlock(lock), "unlock");
  }
  printf("%" PRIu64 "\n", value);
  floe_disconnect(node);
  return 0;
}
