/* Clients and the record packets of nodes: protocol/rules/migration.hpp. */

#define NOTE(n) changed[n] = content[n]

/* The record is n's by rule: before a grant or a giving away it writes itself into it (R7). */
inline take_over(n) {
  if
  :: !there[n] -> there[n] = 1; rsn[n] = 1; dmaster[n] = n; NOTE(n)
  :: there[n] && dmaster[n] != n ->
     if :: R7 -> dmaster[n] = n; rsn[n] = rsn[n] + 1; NOTE(n) :: else fi
  :: else
  fi
}

inline write(n, deletes) {
  nobody_has_gone_on(n);
  stores++;
  seen[n] = seen[n] | BIT(stores);
  if :: deletes -> deletions = deletions | BIT(stores) :: else fi;
  rsn[n] = rsn[n] + 1;
  NOTE(n)
}

inline lock_record(n) { look(n); take_over(n) }

/* A packet that m takes in. A record that it lets go keeps an old copy here, which names where it went. */
inline give(m, whom) {
  to = (LMASTER_AT(m) == m -> whom : LMASTER_AT(m));
  if
  :: to != m && LINKED(m, to) && len(WIRE(m, to)) < ROOM ->
     take_over(m);
     dmaster[m] = whom;
     NOTE(m);
     touched[content[m]] = 1;
     if
     :: LMASTER_AT(m) == m -> WIRE(m, to)!REPLY, whom, rsn[m], seen[m], map[m]
     :: else -> WIRE(m, to)!DMASTER, whom, rsn[m], seen[m], map[m]
     fi
  :: else /* nobody to give it to: who asks will ask again */
  fi
}

inline pass_on(m, whom) {
  to = (LMASTER_AT(m) == m -> OWNER_AT(m) : LMASTER_AT(m));
  if
  :: to != m && LINKED(m, to) && len(WIRE(m, to)) < ROOM -> WIRE(m, to)!CALL, whom, 0, 0, map[m]
  :: else -> lossy[map[m]] = 1
  fi
}

inline receive(s, m) {
  WIRE(s, m)?kind, about, from_rsn, from_seen, g;
  printf("EV node %d takes a packet %d of node %d, for node %d, rsn %d, stores %d, generation %d\n", m, kind, s, about, from_rsn, from_seen, g);
  if
  :: (R14 && g != map[m]) || (!LINKED(s, m) && kind == CALL) -> skip
  :: else ->
     if
     :: kind == CALL && about == m -> skip
     :: kind == CALL && about != m && OWNER_AT(m) == m -> give(m, about)
     :: kind == CALL && about != m && OWNER_AT(m) != m -> pass_on(m, about)
     :: kind == DMASTER && ((there[m] && OWNER_AT(m) != s && !(rsn[m] == 0 && dmaster[m] == m)) || LMASTER_AT(m) != m) -> lossy[map[m]] = 1
     :: kind == DMASTER && !((there[m] && OWNER_AT(m) != s && !(rsn[m] == 0 && dmaster[m] == m)) || LMASTER_AT(m) != m) ->
        to = ((about != m && LINKED(m, about) && len(WIRE(m, about)) < ROOM) -> about : m);
        there[m] = 1;
        seen[m] = from_seen;
        dmaster[m] = to;
        rsn[m] = (to == m -> from_rsn + 1 : from_rsn);
        NOTE(m);
        touched[content[m]] = 1;
        if :: to != m -> WIRE(m, to)!REPLY, to, from_rsn, from_seen, map[m] :: else fi
     :: kind == REPLY ->
        there[m] = 1; seen[m] = from_seen; dmaster[m] = m; rsn[m] = from_rsn + 1;
        NOTE(m);
        touched[content[m]] = 1
     fi
  fi;
  look_at_owners(m)
}

proctype client(byte n) {
  do
  :: d_step { stores < STORES && GRANTS(n) && !locked[n] ->
       printf("EV node %d: a client writes, store %d\n", n, stores + 1); lock_record(n); write(n, 0); look_at_owners(n) }
  :: d_step { stores < STORES && GRANTS(n) && !locked[n] && there[n] && HAS_DATA(seen[n]) ->
       printf("EV node %d: a client deletes, store %d\n", n, stores + 1); lock_record(n); write(n, 1); look_at_owners(n) }
  :: d_step { GRANTS(n) && !locked[n] && (!there[n] || dmaster[n] != n || !touched[content[n]] || (ACKNOWLEDGED & ~excused & ~seen[n])) ->
       printf("EV node %d: a client looks, stores %d\n", n, seen[n]); lock_record(n); look_at_owners(n) }
  :: d_step { holds_used < HOLDS && GRANTS(n) && !locked[n] ->
       holds_used++; printf("EV node %d: a client locks, stores %d\n", n, seen[n]); lock_record(n); locked[n] = 1; look_at_owners(n) }
  :: d_step { stores < STORES && STORES_OF_HOLDER(n) ->
       printf("EV node %d: the holder writes, store %d, and unlocks\n", n, stores + 1); write(n, 0); locked[n] = 0; look_at_owners(n) }
  :: d_step { locked[n] -> printf("EV node %d: the holder unlocks\n", n); locked[n] = 0 }
  :: d_step { requests_used < REQUESTS && SERVES(n) && OWNER_AT(n) != n && LINKED(n, OWNER_AT(n)) && nfull(WIRE(n, OWNER_AT(n))) ->
       requests_used++; printf("EV node %d asks node %d for the record, generation %d\n", n, OWNER_AT(n), map[n]);
       to = OWNER_AT(n); WIRE(n, to)!CALL, n, 0, 0, map[n] }
  od
}

/* What arrives while a node is frozen waits there. */
proctype wire_between(byte s; byte n) {
  do
  :: d_step { SERVES(n) && !locked[n] && nempty(WIRE(s, n)) -> receive(s, n) }
  od
}
