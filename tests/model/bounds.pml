/* How large the world is: how many events of a kind there are at most, and what the cluster is like. A run (runs.txt)
 * changes some; they are read from the environment when the search begins, so that one compiled program plays all runs. */
hidden byte GENERATIONS;   /* of a vnn map, the first one included; 4 at most */
hidden byte STORES;        /* writes and deletions that are acknowledged, the first one included; 4 at most */
hidden byte HOLDS;         /* locks that a client keeps while other things happen; else lock, store and unlock are one event */
hidden byte REQUESTS;      /* for the record, by nodes that do not own it */
hidden byte BREAKS;        /* of a connection, or of all that a node has */
hidden byte KILLS;         /* of a process; it is there again at once, with nothing */
hidden byte GIVE_UPS;      /* recoveries that their leader gives up without a reason that the model knows */
hidden byte RETRIES;       /* commits that fail here or there, and are tried again under the same generation */
hidden byte LMASTER;       /* how keys are spread over a map: 0, 1, 2, see state.pml */
hidden byte OWNER;         /* dmaster at the start */
hidden byte LEADER;        /* who leads at the start, where elections are modelled */
hidden byte ELECTIONS;     /* 0: anybody may lead at any time, and who is left out has frozen by itself: assumed;
                              1: leaders as nodes know them, and who freezes by itself follows from that */
hidden byte TWO_LEADERS;   /* 1: recoveries may run beside each other though their leaders, or nodes of both, reach each other */
hidden byte MAJORITY;      /* quorum = majority; 0: every part goes on */
hidden byte ORDERED;       /* nodes take the steps of a phase in the order of their numbers, but for commit and thaw */

#define MOST_GENERATIONS 4
#define MOST_STORES 4
#define ROOM 2             /* packets on their way from one node to another */

c_decl {
\#include <stdlib.h>
  static int setting(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
  }
}

inline read_bounds() {
  c_code {
    GENERATIONS = setting("GENERATIONS", 3);
    STORES = setting("STORES", 2);
    HOLDS = setting("HOLDS", 0);
    REQUESTS = setting("REQUESTS", 0);
    BREAKS = setting("BREAKS", 0);
    KILLS = setting("KILLS", 0);
    GIVE_UPS = setting("GIVE_UPS", 0);
    RETRIES = setting("RETRIES", 0);
    LMASTER = setting("LMASTER", 0);
    OWNER = setting("OWNER", 0);
    LEADER = setting("LEADER", 0);
    ELECTIONS = setting("ELECTIONS", 0);
    TWO_LEADERS = setting("TWO_LEADERS", 0);
    MAJORITY = setting("MAJORITY", 1);
    ORDERED = setting("ORDERED", 1);
  }
}
