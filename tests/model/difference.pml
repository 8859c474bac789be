/* Which copy of the record wins, and who lacks it: protocol/rules/db_recovery.hpp (touches and bases), winner.hpp (the
 * order of copies) and storage/difference.hpp (the merge). */

byte fresh_of[3];   /* of a leader's recovery: participants that have nothing to compare */

/* ---- the whole content, where it cannot go by difference ---- */

inline offer_whole(n, p) {
  if
  :: best == NOBODY -> best = p
  :: best != NOBODY && (rsn[p] > rsn[best] ||
     (rsn[p] == rsn[best] && ((dmaster[p] == p && dmaster[best] != best) ||
     ((dmaster[p] == p) == (dmaster[best] == best) && ((dmaster[p] != n && dmaster[best] == n) ||
     (dmaster[p] == n && dmaster[best] == n)))))) -> best = p
  :: else
  fi
}

inline merge_whole(n) {
  whole[n] = 1;
  lacking[n] = plan_nodes[n];
  fresh_of[n] = 0;
  best = NOBODY;
  base[n] = 0;
  absence = 0;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IN(i, counts[n]) ->
        if :: LATER(content[i], base[n]) -> base[n] = content[i] :: else fi;
        if :: there[i] -> offer_whole(n, i) :: else -> absence = absence | HELD_BY(i) fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  won_there[n] = best != NOBODY && HAS_DATA(seen[best]);
  won_seen[n] = (best != NOBODY -> seen[best] : absence);
  won_rsn[n] = (won_there[n] -> rsn[best] : 0);
  won_dmaster[n] = (won_there[n] -> n : 0)
}

/* ---- by difference ---- */

/* All that count have one content, and know all that they have changed since. */
inline choose_way(n) {
  by_difference = counts[n] != 0;
  base[n] = 0;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IN(i, counts[n]) ->
        if :: !noting[i] || (base[n] != 0 && base[n] != content[i]) -> by_difference = 0 :: else fi;
        base[n] = content[i]
     :: else
     fi;
     i++
  :: else -> break
  od
}

/* -> found: the latest generation of `set` at all, or 0 in best. */
inline latest_of(set) {
  best = 0;
  h = 1;
  do :: h <= generations -> if :: IN(h, set) && (best == 0 || LATER(h, best)) -> best = h :: else fi; h++ :: else -> break od
}
/* -> best: the earliest of `set` that is later than `than`. */
inline next_of(set, than) {
  best = 0;
  h = 1;
  do :: h <= generations -> if :: IN(h, set) && LATER(h, than) && (best == 0 || LATER(best, h)) -> best = h :: else fi; h++ :: else -> break od
}

#define HOW_MANY(set) (IN(1, set) + IN(2, set) + IN(3, set) + IN(4, set) + IN(5, set))

/* The member that has made most of the generations before this one, and for each participant that does not count the
 * latest content that both have had: also that which the members still have, if the participant has gone on from there. */
inline find_common(n) {
  historian = NOBODY;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IN(i, counts[n]) -> if :: historian == NOBODY -> historian = i :: else -> if :: HOW_MANY(earlier[i]) > HOW_MANY(earlier[historian]) -> historian = i :: else fi fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  fresh_of[n] = 0;
  i = 0;
  do
  :: i < 3 ->
     common[i] = 0;
     if
     :: IN(i, plan_nodes[n]) && !IN(i, counts[n]) ->
        if
        :: noting[i] && content[i] != 0 && IN(content[i], earlier[historian]) -> common[i] = content[i]
        :: noting[i] && content[i] != 0 && !IN(content[i], earlier[historian]) -> latest_of(earlier[i] & (earlier[historian] | BIT(base[n]))); common[i] = best
        :: else
        fi;
        if :: common[i] == 0 && R9 -> fresh_of[n] = fresh_of[n] | BIT(i) :: else fi
     :: else
     fi;
     i++
  :: else -> break
  od
}
#define OWN_PART(n, x) (IS_BEHIND(n, x) && common[x] != content[x])
#define IS_BEHIND(n, x) (IN(x, plan_nodes[n]) && !IN(x, counts[n]) && common[x] != 0)

/* Since when a participant is asked for its changes. */
inline find_since(n, p) {
  since[p] = (IN(p, counts[n]) -> base[n] : common[p]);
  if
  :: IN(p, counts[n]) ->
     k = 0;
     do
     :: k < 3 ->
        if
        :: IS_BEHIND(n, k) && IN(common[k], earlier[p]) && LATER(since[p], common[k]) -> since[p] = common[k]
        :: IS_BEHIND(n, k) && common[k] != base[n] && !IN(common[k], earlier[p]) && earlier[p] != 0 -> next_of(earlier[p], 0); since[p] = best
        :: else
        fi;
        k++
     :: else -> break
     od
  :: else
  fi
}
#define TELLS(p) (changed[p] != 0 && !LATER(since[p], changed[p]))

/* What member m's last change of the record means for node x behind: -> is_before, is_after */
inline find_touch(n, m, x) {
  if
  :: !TELLS(m) || common[x] == base[n] -> skip /* the members part from it now */
  :: TELLS(m) && common[x] != base[n] && (changed[m] == base[n] || !IN(common[x], earlier[m])) -> is_after = 1
  :: TELLS(m) && common[x] != base[n] && changed[m] != base[n] && IN(common[x], earlier[m]) ->
     if
     :: LATER(changed[m], common[x]) -> is_after = 1
     :: changed[m] == common[x] ->
        next_of(earlier[m] | BIT(base[n]), common[x]);
        k = best;
        next_of(earlier[historian] | BIT(base[n]), common[x]);
        if :: k == best -> is_before = 1 :: else -> is_after = 1 fi
     :: else
     fi
  fi
}

/* The order of copies by difference: `is_new` says whether p has changed its own since the base. */
#define CHANGED_NOW(n, p) (IN(p, counts[n]) -> changed[p] == base[n] : 1)
#define BEATS(n, p, q) (rsn[p] > rsn[q] || (rsn[p] == rsn[q] && \
    ((holds_own_p && !holds_own_q) || (holds_own_p == holds_own_q && CHANGED_NOW(n, p) && !CHANGED_NOW(n, q)))))
#define SAME(p, q) (there[p] == there[q] && (!there[p] || (seen[p] == seen[q] && rsn[p] == rsn[q] && dmaster[p] == dmaster[q])))
/* The base's copy is its owner's, where the owner has not changed it. */
#define HOLDS_OWN(n, p) (CHANGED_NOW(n, p) -> dmaster[p] == (p) : (IN(dmaster[p], counts[n]) && !CHANGED_NOW(n, dmaster[p])))
hidden byte holds_own_p, holds_own_q;

inline merge_difference(n) {
  whole[n] = 0;
  lacking[n] = 0;
  find_common(n);
  told_of = 0;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IN(i, counts[n]) || IS_BEHIND(n, i) -> find_since(n, i); if :: TELLS(i) -> told_of = told_of | BIT(i) :: else fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  /* whoever counts and has not changed it since the base has what all such have */
  i = 0;
  do
  :: i < 3 ->
     j = 0;
     do
     :: j < i ->
        if
        :: IN(i, counts[n]) && IN(j, counts[n]) && changed[i] != base[n] && changed[j] != base[n] -> PROMISE(SAME(i, j), "BROKEN what nobody has changed is equal\n")
        :: else
        fi;
        j++
     :: else -> break
     od;
     i++
  :: else -> break
  od;
  /* the members' best */
  best = NOBODY;
  absence = 0;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IN(i, counts[n]) && there[i] ->
        if
        :: best == NOBODY -> best = i
        :: else ->
           holds_own_p = HOLDS_OWN(n, i);
           holds_own_q = HOLDS_OWN(n, best);
           if :: BEATS(n, i, best) -> best = i :: else fi
        fi
     :: IN(i, counts[n]) && !there[i] -> absence = absence | HELD_BY(i)
     :: else
     fi;
     i++
  :: else -> break
  od;
  to = best; /* of the members */
  count = best;
  i = 0;
  do
  :: i < 3 ->
     if
     :: IS_BEHIND(n, i) && TELLS(i) && there[i] ->
        holds_own_p = dmaster[i] == i;
        holds_own_q = (count == NOBODY -> 0 : (IN(count, counts[n]) -> HOLDS_OWN(n, count) : dmaster[count] == count));
        ok = count == NOBODY;
        if :: !ok && !SAME(i, count) && (BEATS(n, i, count) || (OWN_PART(n, i) && count == to)) -> ok = 1 :: else fi;
        if
        :: ok ->
           may_count(n, i, to);
           if :: ok -> count = i :: else fi
        :: else
        fi
     :: else
     fi;
     i++
  :: else -> break
  od;
  if
  :: !told_of && !fresh_of[n] -> /* nobody tells of the record: everybody keeps what it has */
     i = (IN(0, counts[n]) -> 0 : (IN(1, counts[n]) -> 1 : 2));
     won_there[n] = there[i]; won_seen[n] = seen[i]; won_rsn[n] = rsn[i]; won_dmaster[n] = dmaster[i]
  :: else ->
     won_there[n] = count != NOBODY && (HAS_DATA(seen[count]) || !told_of || (R18 && (members[base[n]] & ~plan_nodes[n])));
     won_seen[n] = (count != NOBODY -> seen[count] : absence);
     won_rsn[n] = (won_there[n] -> rsn[count] : 0);
     if :: won_there[n] && count != to && OWN_PART(n, count) && to != NOBODY && rsn[to] >= rsn[count] -> won_rsn[n] = rsn[to] + 1 :: else fi;
     won_dmaster[n] = (won_there[n] -> dmaster[count] : 0);
     i = 0;
     do
     :: i < 3 ->
        if
        :: IN(i, fresh_of[n]) -> lacking[n] = lacking[n] | BIT(i)
        :: told_of && IN(i, plan_nodes[n]) && !IN(i, fresh_of[n]) && !(IN(i, counts[n]) || TELLS(i)) -> lacking[n] = lacking[n] | BIT(i)
        :: told_of && IN(i, plan_nodes[n]) && !IN(i, fresh_of[n]) && (IN(i, counts[n]) || TELLS(i)) ->
           if
           :: there[i] != won_there[n] || (there[i] && (seen[i] != won_seen[n] || rsn[i] != won_rsn[n] || dmaster[i] != won_dmaster[n])) ->
              lacking[n] = lacking[n] | BIT(i)
           :: else -> seen[i] = won_seen[n] /* an absence stands for the same */
           fi
        :: else
        fi;
        i++
     :: else -> break
     od
  fi
}

/* -> ok: protocol/rules/parts.hpp. What a part began with after the last common content is what its first generation since
 * began with. */
inline part_goes_on(n, x, of_members) {
  next_of(earlier[historian] | BIT(base[n]), common[x]);
  j = best;
  next_of(earlier[x] | BIT(content[x]), common[x]);
  k = best;
  if
  :: of_members == NOBODY && is_before && !is_after -> ok = 0
  :: of_members != NOBODY && is_after && seen[of_members] != start_seen[j] -> ok = 0
  :: of_members == NOBODY && is_after && HAS_DATA(start_seen[j]) -> ok = 0
  :: else ->
     if
     :: seen[x] != start_seen[k] -> ok = 1
     :: else -> ok = ((is_after || of_members == NOBODY) -> start_rsn[k] > start_rsn[j] : start_rsn[k] > rsn[of_members])
     fi
  fi
}

/* -> ok: a returner's copy counts where nobody has touched the record. `of_members` wins among the members. */
inline may_count(n, x, of_members) {
  is_before = 0;
  is_after = 0;
  j = 0;
  do :: j < 3 -> if :: IN(j, counts[n]) -> find_touch(n, j, x) :: else fi; j++ :: else -> break od;
  if
  :: !R8 -> ok = 1
  :: is_after && R8 -> ok = 0
  :: R8 && !is_after && common[x] == content[x] -> ok = !(is_before && of_members == NOBODY)
  :: else -> skip
  fi;
  if :: R8 && OWN_PART(n, x) -> part_goes_on(n, x, of_members) :: else fi
}
