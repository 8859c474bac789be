/* Who may be left out, and who freezes by itself: protocol/rules/quorum.hpp, cut_off.hpp and own_freeze.hpp.
 *
 * There is no time here. What the limits say in the program is said by an order of events: before a leader leaves out a
 * member that it does not reach, that member has frozen by itself. Without elections that is taken for granted, and that nobody whom the leader
 * reaches still reaches that member: of all who reach a common third, one leads. With them a member has frozen if its own
 * rule says that it is cut off, and goes on if not. */

#define HEARS_LEADER(n) (leader_of[n] != NOBODY && LINKED(n, leader_of[n]))
#define AWAY(n, m) (IN(m, members[map[n]]) && !LINKED(n, m) && map[m] != 0)
#define HERE(n, m) (IN(m, members[map[n]]) && LINKED(n, m))
#define OUTNUMBERED(n) (AWAY(n, 0) + AWAY(n, 1) + AWAY(n, 2) > HERE(n, 0) + HERE(n, 1) + HERE(n, 2))
#define TOO_FEW(n) (MAJORITY && COUNT(REACHED(n)) < 2)
#define CUT_OFF_BY_RULE(n) ((leader_of[n] == n -> OUTNUMBERED(n) || TOO_FEW(n) : !HEARS_LEADER(n)))
#define CUT_OFF(n) (ELECTIONS -> CUT_OFF_BY_RULE(n) : COUNT(REACHED(n)) < 3)
#define LEADS(n) (!ELECTIONS || leader_of[n] == n)

/* Leader n may leave out m, as far as silence tells: whose process has ended; who has frozen; who has nothing, and no recovery
 * of its own that could give it something. */
#define WAITS_FOR_OTHERS(m) (own_freeze[m] == MUTED || (content[m] == 0 && phase[m] == RESTING))
#define MAY_BE_LEFT_OUT(n, m) (!R11 || map[m] == 0 || \
                               (WAITS_FOR_OTHERS(m) && (ELECTIONS || TWO_LEADERS || !(REACHED(m) & REACHED(n)))) || \
                               (ELECTIONS && !CUT_OFF(m)))

/* Of a map that somebody in reach names; who was started again names the last one that he had. */
#define NAMED(n) (R16 && map[n] == 0 -> kept_map[n] : map[n])
#define IS_MEMBER_FOR(n, m) (IN(m, members[NAMED(n)]) || (LINKED(n, 0) && IN(m, members[NAMED(0)])) || \
                             (LINKED(n, 1) && IN(m, members[NAMED(1)])) || (LINKED(n, 2) && IN(m, members[NAMED(2)])))
/* Of whom no map tells nobody waits; where a majority is asked for such a node is of a minority, and freezes at once. */
#define ALLOWED_WITHOUT(n, m) (LINKED(n, m) || (!MAJORITY && !IS_MEMBER_FOR(n, m)) || MAY_BE_LEFT_OUT(n, m))
#define IS_SILENT_MEMBER(n, m) (!LINKED(n, m) && IS_MEMBER_FOR(n, m) && map[m] != 0)
#define WITH_CONTENT(n) (REACHED(n) & ((map[0] != 0) | ((map[1] != 0) << 1) | ((map[2] != 0) << 2)))
#define ONE_IS_SILENT(n) (IS_SILENT_MEMBER(n, 0) || IS_SILENT_MEMBER(n, 1) || IS_SILENT_MEMBER(n, 2))
#define ENOUGH(n) (!MAJORITY || (COUNT(REACHED(n)) >= 2 && (!R12 || COUNT(WITH_CONTENT(n)) >= 2 || !ONE_IS_SILENT(n))))
#define MAY_RECOVER(n) (LEADS(n) && ENOUGH(n) && ALLOWED_WITHOUT(n, 0) && ALLOWED_WITHOUT(n, 1) && ALLOWED_WITHOUT(n, 2))

inline freeze_by_itself(n) {
  if :: content[n] != 0 -> own_freeze[n] = MUTED :: else fi;
  if :: R17 && phase[n] -> GIVE_UP(n, "EV leader %d gives up: it has frozen by itself\n") :: else fi;
  if :: R10 && content[n] != 0 && freeze[n] == IN_TRANSACTION -> tid[n] = 0; freeze[n] = FROZEN :: else fi;
  if :: freeze[n] == THAWED -> freeze[n] = FROZEN :: else fi
}

inline lose_packets(a, b) {
  do :: nempty(WIRE(a, b)) -> WIRE(a, b)?_, _, _, _, _; lossy[map[a]] = 1; lossy[map[b]] = 1 :: empty(WIRE(a, b)) -> break od
}
inline break_link(a, b) { link[(a) + (b) - 1] = 0; lossy[map[a]] = 1; lossy[map[b]] = 1 }

inline isolate(n) {
  if :: n != 0 -> break_link(n, 0); lose_packets(n, 0); lose_packets(0, n) :: else fi;
  if :: n != 1 -> break_link(n, 1); lose_packets(n, 1); lose_packets(1, n) :: else fi;
  if :: n != 2 -> break_link(n, 2); lose_packets(n, 2); lose_packets(2, n) :: else fi
}

/* A process ends and is there again with nothing. What only it had is lost, and what only it knew of touches. */
inline kill(n) {
  need = ACKNOWLEDGED & ~excused & HELD_BY(n);
  i = 0;
  do :: i < 3 -> if :: i != n -> need = need & ~HELD_BY(i) :: else fi; i++ :: else -> break od;
  excused = excused | need;
  given_up = 0;
  map[n] = 0; content[n] = 0; freeze[n] = FROZEN; tid[n] = 0; own_freeze[n] = NO_FREEZE; locked[n] = 0;
  there[n] = 0; seen[n] = 0; rsn[n] = 0; dmaster[n] = 0;
  noting[n] = 0; earlier[n] = 0; changed[n] = 0;
  leader_of[n] = NOBODY;
  end_recovery(n);
  isolate(n)
}

proctype silence(byte n) {
  do
  :: d_step { map[n] != 0 && !WAITS_FOR_OTHERS(n) && CUT_OFF(n) ->
       printf("EV node %d freezes by itself\n", n); freeze_by_itself(n) }
  :: d_step { breaks_used < BREAKS && COUNT(REACHED(n)) == 3 ->
       breaks_used++; printf("EV node %d is cut off from all, with what was on its way\n", n); isolate(n) }
  :: d_step { kills_used < KILLS && map[n] != 0 ->
       kills_used++; printf("EV node %d is killed, and starts empty\n", n); kill(n); look_at_owners(0); look_at_owners(1); look_at_owners(2) }
  od
}

/* Who has lost its leader may win an election; others hear of it, or of a later term, when they do. */
proctype elections(byte n; byte m) {
  do
  :: d_step { ELECTIONS && leader_of[n] != n && !HEARS_LEADER(n) && map[n] != 0 && !TOO_FEW(n) ->
       printf("EV node %d leads\n", n); leader_of[n] = n }
  :: d_step { ELECTIONS && LINKED(n, m) && leader_of[m] == m && leader_of[n] != m ->
       printf("EV node %d follows node %d\n", n, m); leader_of[n] = m; if :: phase[n] -> end_recovery(n) :: else fi }
  :: d_step { ELECTIONS && LINKED(n, m) && leader_of[n] == n && leader_of[m] != n && leader_of[m] != NOBODY ->
       printf("EV node %d hears of a later term and leads no more\n", n); leader_of[n] = NOBODY; if :: phase[n] -> end_recovery(n) :: else fi }
  od
}

proctype network(byte x; byte y) {
  do
  :: d_step { breaks_used < BREAKS && LINKED(x, y) ->
       breaks_used++; printf("EV link %d-%d breaks, with what was on it\n", x, y); break_link(x, y); lose_packets(x, y); lose_packets(y, x); skip }
  :: d_step { breaks_used < BREAKS && LINKED(x, y) && (nempty(WIRE(x, y)) || nempty(WIRE(y, x))) ->
       breaks_used++; printf("EV link %d-%d breaks, what was on it has arrived\n", x, y); break_link(x, y) }
  :: d_step { !LINKED(x, y) -> printf("EV link %d-%d is there again\n", x, y); link[x + y - 1] = 1 }
  od
}
