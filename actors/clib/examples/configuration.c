/*
 * A configuration that all nodes share, in a persistent database: several settings change together or not at all.
 *
 *   configuration NODE NAME=VALUE...   sets them in one transaction; NAME= removes one
 *   configuration NODE                 prints all
 */
#include <floe/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int result, const char* doing) {
  if (result == FLOE_OK) return;
  fprintf(stderr, "configuration: %s: %s\n", doing, floe_error_text());
  exit(1);
}

static int print(const void* key, size_t key_size, const void* data, size_t data_size,
                 const floe_header* header, void* context) {
  (void)header;
  (void)context;
  if (key_size >= 2 && memcmp(key, "__", 2) == 0)
    return 0; /* the database's own: its sequence number */
  printf("%.*s=%.*s\n", (int)key_size, (const char*)key, (int)data_size, (const char*)data);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: configuration NODE [NAME=VALUE...]\n");
    return 2;
  }
  floe_connection* node;
  floe_db db;
  uint64_t number;

  check(floe_connect(argv[1], 0, 10000, &node), "connect");
  check(floe_attach(node, "configuration.tdb", FLOE_PERSISTENT, 10000, &db), "attach");
  if (argc == 2) {
    check(floe_traverse(node, db, FLOE_LOCAL, 10000, print, NULL, NULL), "read");
  } else {
    floe_transaction* changes;
    check(floe_transaction_start(node, db, 30000, &changes), "begin");
    for (int i = 2; i < argc; ++i) {
      const char* equals = strchr(argv[i], '=');
      if (!equals || equals == argv[i]) {
        fprintf(stderr, "configuration: no NAME=VALUE: %s\n", argv[i]);
        floe_transaction_cancel(changes);
        return 2;
      }
      check(floe_transaction_store(changes, argv[i], (size_t)(equals - argv[i]), equals + 1,
                                   strlen(equals + 1)),
            "change");
    }
    check(floe_transaction_commit(changes, 60000), "commit");
    check(floe_sequence_number(node, db, 10000, &number), "sequence number");
    printf("stored, number %llu\n", (unsigned long long)number);
  }
  floe_disconnect(node);
  return 0;
}
