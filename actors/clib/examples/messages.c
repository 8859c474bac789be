/*
 * Messages: one program hands out work, others on any node take it.
 *
 *   messages NODE listen COUNT        prints COUNT messages and ends
 *   messages NODE say TEXT...         sends each text to every listener in the cluster
 */
#include <floe/client.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t address = 0x6d65737361676573; /* any number that nobody else uses */

static void check(int result, const char* doing) {
  if (result >= 0) return;
  fprintf(stderr, "messages: %s: %s\n", doing, floe_error_text());
  exit(1);
}

static void print(uint64_t srvid, uint32_t from, const void* data, size_t size, void* left) {
  (void)srvid;
  printf("from node %u: %.*s\n", from, (int)size, (const char*)data);
  fflush(stdout);
  --*(int*)left;
}

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: messages NODE listen COUNT | say TEXT...\n");
    return 2;
  }
  floe_connection* node;
  check(floe_connect(argv[1], 0, 10000, &node), "connect");
  if (strcmp(argv[2], "say") == 0) {
    for (int i = 3; i < argc; ++i)
      check(floe_send(node, FLOE_CONNECTED, address, argv[i], strlen(argv[i])), "say");
  } else {
    int left = atoi(argv[3]);
    check(floe_listen(node, address, print, &left), "listen");
    printf("listening on node %u\n", floe_pnn(node));
    fflush(stdout);
    while (left > 0) { /* as in a program that polls other descriptors, too */
      struct pollfd ready = {.fd = floe_fd(node), .events = POLLIN};
      check(ready.fd, "descriptor");
      poll(&ready, 1, -1);
      check(floe_process(node, 0), "receive");
    }
  }
  floe_disconnect(node);
  return 0;
}
