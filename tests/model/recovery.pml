/* A leader's recovery: protocol/rules/cluster_recovery.hpp, db_recovery.hpp. Each participant takes each step by itself;
 * a phase ends when all have taken its step. */

/* ---- whose copies count: protocol/rules/lineage.hpp ---- */
#define HAVE(gen, part) (((IN(0, part) && content[0] == (gen)) -> 1 : 0) | ((IN(1, part) && content[1] == (gen)) -> 2 : 0) | ((IN(2, part) && content[2] == (gen)) -> 4 : 0))

/* What relation a has to b, among the nodes of the plan: found says that a is older. */
inline is_older(a, b) {
  before = HAVE(a, nodes);   /* nodes there */
  after = HAVE(b, nodes);
  if
  :: !(members[a] & after) && !(members[b] & before) && COUNT(before) != COUNT(after) &&
     ((number[b] > number[a] && !(members[a] & ~before)) || (number[a] > number[b] && !(members[b] & ~after))) ->
     found = COUNT(before) < COUNT(after)                                                    /* parted */
  :: else ->
     if
     :: (members[a] & after) && !(members[b] & before) && !(members[b] & ~members[a]) && number[b] > number[a] &&
        COUNT(before & members[a]) > COUNT(members[b]) -> found = 0                          /* stayed */
     :: else ->
        if
        :: (members[b] & before) && !(members[a] & after) && !(members[a] & ~members[b]) && number[a] > number[b] &&
           COUNT(after & members[b]) > COUNT(members[a]) -> found = 1
        :: else ->
           if
           :: number[a] != number[b] -> found = number[b] > number[a]                        /* number */
           :: else ->
              if
              :: (members[a] & after) && (members[b] & before) -> found = 0                  /* one history */
              :: else ->
                 if
                 :: COUNT(before) != COUNT(after) -> found = COUNT(before) < COUNT(after)    /* side by side */
                 :: else ->
                    if
                    :: COUNT(members[a]) != COUNT(members[b]) -> found = COUNT(members[a]) < COUNT(members[b])
                    :: else -> found = ((members[a] & after) && !(members[b] & before))      /* a is older */
                    fi
                 fi
              fi
           fi
        fi
     fi
  fi
}

/* -> counts[n]. Of those that are not older than any other the most nodes, the leader's own, the lowest pnn. */
inline choose_who_counts(n) {
  best = 0;
  count = 0;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IN(i, nodes) && content[i] != 0 ->
        ok = 1;
        j = 0;
        do
        :: j < 3 ->
           if
           :: IN(j, nodes) && content[j] != 0 && content[j] != content[i] -> is_older(content[i], content[j]); if :: found -> ok = 0 :: else fi
           :: else
           fi;
           j++
        :: else -> break
        od;
        if
        :: ok ->
           k = 8 * COUNT(HAVE(content[i], nodes)) + 4 * IN(n, HAVE(content[i], nodes)) + 3 - i;
           if :: k > count -> count = k; best = content[i] :: else fi
        :: else
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  counts[n] = (best -> HAVE(best, nodes) : 0);
  if
  :: best -> /* with what is one history with it */
     i = 0;
     do
     :: i < 3 ->
        if
        :: IN(i, nodes) && content[i] != 0 && content[i] != best && number[content[i]] == number[best] &&
           (members[best] & HAVE(content[i], nodes)) && (members[content[i]] & HAVE(best, nodes)) -> counts[n] = counts[n] | BIT(i)
        :: else
        fi;
        i++
     :: else -> break
     od
  :: else
  fi;
  if
  :: !R13 ->
     i = 0;
     do :: i < 3 -> if :: IN(i, nodes) && content[i] != 0 -> counts[n] = counts[n] | BIT(i) :: else fi; i++ :: else -> break od
  :: else
  fi
}

/* ---- start ---- */
#define RECOVERS_BESIDE(n, m) ((n) != (m) && LINKED(n, m) && phase[m] != RESTING)
#define MAY_START(n) (phase[n] == RESTING && generations < GENERATIONS && MAY_RECOVER(n) && \
                      (TWO_LEADERS || ELECTIONS || !(RECOVERS_BESIDE(n, 0) || RECOVERS_BESIDE(n, 1) || RECOVERS_BESIDE(n, 2))))

inline start(n) {
  nodes = REACHED(n);
  choose_who_counts(n);
  generations++;
  g = generations;
  members[g] = nodes;
  count = 0;
  i = 0;
  do :: i < 3 -> if :: IN(i, nodes) && number[map[i]] > count -> count = number[map[i]] :: else fi; i++ :: else -> break od;
  number[g] = count + 1;
  phase[n] = SETTING_MAP;
  plan_gen[n] = g;
  plan_nodes[n] = nodes;
  told[n] = (IN(0, nodes) -> content[0] : 0) | ((IN(1, nodes) -> content[1] : 0) << 3) | ((IN(2, nodes) -> content[2] : 0) << 6);
  printf("EV leader %d starts a recovery to generation %d (number %d) with nodes %d; contents %d %d %d, of which nodes %d count\n",
         n, g, number[g], nodes, content[0], content[1], content[2], counts[n])
}

/* ---- the steps ---- */
inline step_done(n, p) {
  done[n] = done[n] | BIT(p);
  if :: done[n] == plan_nodes[n] -> done[n] = 0; phase[n]++ :: else fi
}

inline set_map(n, p) {
  if
  :: LATER(map[p], plan_gen[n]) -> GIVE_UP(n, "EV leader %d gives up: a later recovery has been here\n")
  :: else -> map[p] = plan_gen[n]; kept_map[p] = map[p]; step_done(n, p)
  fi;
  look_at_owners(p)
}

/* The freeze says to whom it counts: what its holders store waits no more, or is void. */
inline freeze_node(n, p) {
  if :: freeze[p] == THAWED -> freeze[p] = FROZEN :: else fi;
  if
  :: IN(p, counts[n]) -> if :: own_freeze[p] != NO_FREEZE -> own_freeze[p] = COUNTED :: else fi
  :: else -> own_freeze[p] = VOIDED; locked[p] = 0
  fi;
  if :: !locked[p] -> step_done(n, p) :: else fi
}

inline begin(n, p) {
  if
  :: freeze[p] == THAWED || locked[p] -> GIVE_UP(n, "EV leader %d gives up: it is not frozen\n")
  :: LATER(content[p], plan_gen[n]) || LATER(tid[p], plan_gen[n]) -> GIVE_UP(n, "EV leader %d gives up: a later recovery has been here\n")
  :: else ->
     freeze[p] = IN_TRANSACTION;
     tid[p] = plan_gen[n];
     if
     :: content[p] == plan_gen[n] -> made_by[n] = made_by[n] | BIT(p); step_done(n, p)
     :: content[p] != plan_gen[n] && R1 && content[p] != 0 && content[p] != TOLD(n, p) -> GIVE_UP(n, "EV leader %d gives up: a later recovery has been here\n")
     :: else -> step_done(n, p)
     fi
  fi
}

#define IN_IT(n, p) (!IN(p, plan_nodes[n]) || (freeze[p] == IN_TRANSACTION && tid[p] == plan_gen[n]))

inline merge(n) {
  if
  :: !(IN_IT(n, 0) && IN_IT(n, 1) && IN_IT(n, 2)) -> GIVE_UP(n, "EV leader %d gives up: its transaction is not open\n")
  :: else ->
     if :: R15 && made_by[n] -> counts[n] = made_by[n] :: else fi;
     choose_way(n);
     if :: by_difference -> merge_difference(n) :: else -> merge_whole(n) fi;
     parent[plan_gen[n]] = base[n];
     printf("EV leader %d merges generation %d, base %d, nodes %d count, whole %d: there %d, stores %d, rsn %d, dmaster %d, for nodes %d\n",
            n, plan_gen[n], base[n], counts[n], whole[n], won_there[n], won_seen[n], won_rsn[n], won_dmaster[n], lacking[n]);
     printf("EV   copies: there %d %d %d, stores %d %d %d, rsn %d %d %d, dmaster %d %d %d\n", there[0], there[1], there[2],
            seen[0], seen[1], seen[2], rsn[0], rsn[1], rsn[2], dmaster[0], dmaster[1], dmaster[2]);
     phase[n] = COMMITTING
  fi
}

inline commit(n, p) {
  if
  :: freeze[p] != IN_TRANSACTION || tid[p] != plan_gen[n] -> GIVE_UP(n, "EV leader %d gives up: its transaction is not open\n")
  :: else ->
     g = plan_gen[n];
     if :: !IN(p, counts[n]) -> excuse_what_returns(p, n) :: else fi;
     if :: !committed[g] -> start_seen[g] = won_seen[n]; start_rsn[g] = won_rsn[n]; if :: !won_there[n] -> dropped[g] = 1 :: else fi :: else fi;
     committed[g] = 1;
     if
     :: IN(p, lacking[n]) -> /* it gets the winner; and if it goes on by steps, notes that */
        there[p] = won_there[n]; seen[p] = won_seen[n]; dmaster[p] = won_dmaster[n];
        rsn[p] = won_rsn[n] + (R6 || p != n -> 0 : won_there[n]);
        changed[p] = content[p]
     :: else
     fi;
     if
     :: whole[n] || !noting[p] || content[p] == 0 || IN(p, fresh_of[n]) -> earlier[p] = 0; changed[p] = 0
     :: content[p] == g -> skip
     :: else ->
        earlier[p] = earlier[p] | BIT(content[p]);
        if :: !R5 && changed[p] == content[p] -> changed[p] = 0 :: else fi
     fi;
     noting[p] = 1;
     content[p] = g;
     freeze[p] = FROZEN; tid[p] = 0; own_freeze[p] = NO_FREEZE;
     step_done(n, p);
     if :: phase[n] == THAWING -> given_to_all = given_to_all | won_seen[n]; look_at_contents(n) :: else fi
  fi
}

inline thaw(n, p) {
  if
  :: R3 && (content[p] != plan_gen[n] || map[p] != plan_gen[n] || freeze[p] == IN_TRANSACTION) -> GIVE_UP(n, "EV leader %d gives up: the thaw is refused\n")
  :: R10 && own_freeze[p] != NO_FREEZE -> GIVE_UP(n, "EV leader %d gives up: the thaw is refused\n")
  :: else ->
     freeze[p] = THAWED; tid[p] = 0; own_freeze[p] = NO_FREEZE;
     step_done(n, p)
  fi;
  if :: phase[n] > THAWING -> printf("EV leader %d has recovered\n", n); end_recovery(n) :: else fi;
  look_at_owners(p)
}

/* All have committed: they have the same. */
inline look_at_contents(n) {
  i = 1;
  do
  :: i < 3 ->
     j = 0;
     do
     :: j < i ->
        if
        :: IN(i, plan_nodes[n]) && IN(j, plan_nodes[n]) && content[i] == plan_gen[n] && content[j] == plan_gen[n] && freeze[i] == FROZEN && freeze[j] == FROZEN ->
           PROMISE(SAME(i, j), "BROKEN after a recovery all have the same\n")
        :: else
        fi;
        j++
     :: else -> break
     od;
     i++
  :: else -> break
  od
}

#define NEXT(n, p) (!ORDERED || ((plan_nodes[n] & ~done[n]) & (BIT(p) - 1)) == 0)
#define OWES(n, p, what) (phase[n] == what && IN(p, plan_nodes[n]) && !IN(p, done[n]) && LINKED(n, p))

proctype steps(byte n; byte p) {
  do
  :: d_step { OWES(n, p, SETTING_MAP) && NEXT(n, p) -> printf("EV leader %d sets the map of generation %d on node %d\n", n, plan_gen[n], p); set_map(n, p) }
  :: d_step { OWES(n, p, FREEZING) && NEXT(n, p) && (!locked[p] || freeze[p] == THAWED || own_freeze[p] == MUTED || !IN(p, counts[n])) ->
       printf("EV leader %d freezes node %d for generation %d\n", n, p, plan_gen[n]); freeze_node(n, p) }
  :: d_step { OWES(n, p, BEGINNING) && NEXT(n, p) ->
       printf("EV leader %d begins on node %d for generation %d (content %d, tid %d)\n", n, p, plan_gen[n], content[p], tid[p]); begin(n, p) }
  :: d_step { OWES(n, p, COMMITTING) -> printf("EV leader %d commits generation %d on node %d\n", n, plan_gen[n], p); commit(n, p) }
  :: d_step { OWES(n, p, THAWING) -> printf("EV leader %d thaws node %d for generation %d\n", n, p, plan_gen[n]); thaw(n, p) }
  od
}

proctype leader(byte n) {
  do
  :: d_step { MAY_START(n) -> start(n) }
  :: d_step { phase[n] == MERGING -> merge(n) }
  :: d_step { phase[n] != RESTING && (plan_nodes[n] & ~REACHED(n)) -> GIVE_UP(n, "EV leader %d gives up: a participant is gone\n") }
  :: d_step { phase[n] != RESTING && give_ups_used < GIVE_UPS -> give_ups_used++; GIVE_UP(n, "EV leader %d gives up: for no reason\n") }
  :: d_step { phase[n] == COMMITTING && retries_used < RETRIES -> retries_used++;
       printf("EV leader %d tries generation %d again, nodes %d have committed\n", n, plan_gen[n], done[n]);
       made_by[n] = made_by[n] | done[n]; done[n] = 0; phase[n] = FREEZING }
  od
}
