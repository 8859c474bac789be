/* Who owns a record, and what a recovery makes of it: one record of a volatile database on three nodes of floe, by the
 * rules of protocol/rules. README.md says what is left out. Every event is one step; Spin tries all orders of them. */
#include "bounds.pml"
#include "rules.pml"
#include "state.pml"
#include "promises.pml"
#include "records.pml"
#include "silence.pml"
#include "difference.pml"
#include "recovery.pml"

/* All three have been recovered, and the record has been written once. */
init {
  d_step {
    read_bounds();
    read_rules();
    i = 0;
    do
    :: i < 3 ->
       map[i] = 1; kept_map[i] = 1; content[i] = 1; there[i] = 1; seen[i] = 2; rsn[i] = 1; dmaster[i] = OWNER; noting[i] = 1; link[i] = 1;
       leader_of[i] = LEADER;
       i++
    :: else -> break
    od;
    members[1] = 7; number[1] = 2; committed[1] = 1; start_seen[1] = 2; start_rsn[1] = 1
  };
  atomic {
    i = 0;
    do
    :: i < 3 ->
       run client(i); run leader(i); run silence(i);
       j = 0;
       do :: j < 3 -> run steps(i, j); if :: i != j -> run wire_between(j, i); run elections(i, j) :: else fi; j++ :: else -> break od;
       i++
    :: else -> break
    od;
    run network(0, 1); run network(0, 2); run network(1, 2)
  }
}
