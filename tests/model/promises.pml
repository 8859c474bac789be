/* What must hold, looked at when it matters. */
#define PROMISE(holds, broken) if :: (holds) :: else -> printf(broken); assert(false) fi

/* Of one generation never two nodes both give the record out; where a majority is asked for, of no two at all. */
#define HAS_IT(n) (GRANTS(n) || STORES_OF_HOLDER(n))
#define ONE_OWNER(a, b) (!((MAJORITY || map[a] == map[b]) && HAS_IT(a) && HAS_IT(b)))

/* If all members work in one generation, and nothing is on its way or was lost, one owns the record and the lmaster knows it. */
#define NOTHING_ON_ITS_WAY (len(wire[1]) + len(wire[2]) + len(wire[3]) + len(wire[5]) + len(wire[6]) + len(wire[7]) == 0)
#define WORKS(n, gen) (!IN(n, members[gen]) || (map[n] == (gen) && SERVES(n)))
#define OWNS(n, gen) ((IN(n, members[gen]) && OWNER_AT(n) == (n)) -> 1 : 0)

inline look_at_owners(n) {
  PROMISE(ONE_OWNER(0, 1) && ONE_OWNER(0, 2) && ONE_OWNER(1, 2), "BROKEN a record has one owner\n");
  g = map[n];
  if
  :: g && SERVES(n) && NOTHING_ON_ITS_WAY && !lossy[g] && WORKS(0, g) && WORKS(1, g) && WORKS(2, g) ->
     PROMISE(OWNS(0, g) + OWNS(1, g) + OWNS(2, g) == 1, "BROKEN somebody owns the record\n");
     k = LMASTER_OF(members[g]);
     PROMISE(OWNER_AT(k) == k || OWNER_AT(OWNER_AT(k)) == OWNER_AT(k), "BROKEN the lmaster knows the owner\n")
  :: else
  fi
}

/* Whether generation `later` is that content, or it was made from it. */
inline is_descendant(later, earlier_one) {
  h = later;
  do :: h == earlier_one || h == 0 -> break :: else -> h = parent[h] od;
  found = (h == earlier_one)
}

/* Somebody has another content that is not one of those before this one: its node may be ahead, or of another part. */
inline others_may_be_ahead(n) {
  ok = 0;
  i = 0;
  do
  :: i < 3 ->
     if
     :: content[i] != 0 && content[i] != content[n] -> is_descendant(content[n], content[i]); if :: !found -> ok = 1 :: else fi
     :: else
     fi;
     i++
  :: else -> break
  od
}

/* A client of n gets the record: it descends from all that was acknowledged. What only nodes have that this generation left
 * out, and no recovery has given to all, is given up now, for it is touched here; it must not come back. */
inline look(n) {
  missing = ACKNOWLEDGED & ~excused & ~seen[n];
  i = 0;
  do
  :: i < 3 ->
     if
     :: missing && content[i] != 0 && !IN(i, members[content[n]]) ->
        need = missing & seen[i] & ~given_to_all;
        given_up = given_up | need;
        excused = excused | need;
        missing = missing & ~need
     :: else
     fi;
     i++
  :: else -> break
  od;
  ok = 0;
  if :: missing && !MAJORITY -> others_may_be_ahead(n) :: else fi;
  PROMISE(missing == 0 || ok, "BROKEN nothing acknowledged is lost\n");
  PROMISE((seen[n] & given_up) == 0 || !MAJORITY, "BROKEN what was given up stays away\n");
  touched[content[n]] = 1
}

/* n acknowledges a store: no recovery that does not count it has committed. */
inline nobody_has_gone_on(n) {
  g = 1;
  do
  :: g <= generations && MAJORITY ->
     if
     :: committed[g] && !IN(n, members[g]) && g != content[n] ->
        is_descendant(g, content[n]);
        PROMISE(!found, "BROKEN nobody goes on without a node that acknowledges\n")
     :: else
     fi;
     g++
  :: else -> break
  od
}

/* What n has is replaced by that of a recovery that does not count its copies: what it had is lost with an
 * excuse if the record was touched since their first commit without it, or dropped by that for a deletion that n does not
 * know; or if n had gone its own way. */
inline excuse_what_returns(returner, who_leads) {
  need = ACKNOWLEDGED & ~excused & HELD_BY(returner) & ~won_seen[who_leads];
  if
  :: need && content[returner] != 0 ->
     h = content[returner];
     own_part = 0;
     do
     :: h == 0 -> break
     :: else ->
        k = parent[plan_gen[who_leads]];
        do :: k == h || k == 0 -> break :: else -> k = parent[k] od;
        if :: k == h -> break :: else -> own_part = 1; h = parent[h] fi
     od;
     ok = own_part;
     if :: !own_part -> need = need & ~given_to_all :: else fi;
     k = parent[plan_gen[who_leads]];
     do
     :: k == h || k == 0 -> break
     :: else ->
        if :: touched[k] || (parent[k] == h && dropped[k] && (start_seen[k] & ~seen[returner])) -> ok = 1 :: else fi;
        k = parent[k]
     od;
     if :: ok -> excused = excused | need; given_up = given_up | need :: else fi
  :: else
  fi
}
