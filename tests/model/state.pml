/* What a node is made of, as far as the rules look at it. A set of nodes, generations or stores is a byte with a bit each. */

#define BIT(i) (1 << (i))
#define IN(i, set) (((set) >> (i)) & 1)
#define COUNT(nodes) (IN(0, nodes) + IN(1, nodes) + IN(2, nodes))
#define NOBODY 3

/* ---- generations: 0 is none, the others count in the order in which recoveries began ---- */
byte generations = 1;
byte members[MOST_GENERATIONS + 1];    /* of a generation: its vnn map */
byte number[MOST_GENERATIONS + 1];     /* what it counts up to; two leaders may count alike */
byte parent[MOST_GENERATIONS + 1];     /* whose content it was made from */
bit committed[MOST_GENERATIONS + 1];   /* by some node */
/* what its recovery made of the record: what a node has noted beside its first change since (storage/change_history.hpp) */
byte start_seen[MOST_GENERATIONS + 1], start_rsn[MOST_GENERATIONS + 1];
/* for what the promises excuse, known to nobody: */
bit touched[MOST_GENERATIONS + 1];     /* a node of that content has locked, written or moved the record */
bit dropped[MOST_GENERATIONS + 1];     /* its first commit has dropped the record as deleted */
bit lossy[MOST_GENERATIONS + 1];       /* a packet of it may have been lost */

/* One generation is later than another: by its number; of two alike chance decides, here the order of their births. */
#define LATER(a, b) (number[a] > number[b] || (number[a] == number[b] && (a) > (b)))

/* ---- a node ---- */
#define THAWED 0
#define FROZEN 1                  /* with a lock held: freezing */
#define IN_TRANSACTION 2
#define NO_FREEZE 0               /* of its own, protocol/rules/own_freeze.hpp */
#define MUTED 1
#define COUNTED 2
#define VOIDED 3

byte map[3];                      /* generation of the vnn map */
byte kept_map[3];                 /* the last one, on disk: its members are known when the process has ended */
byte content[3];                  /* generation of the database */
byte freeze[3];
byte tid[3];                      /* of the open transaction */
byte own_freeze[3];
bit locked[3];                    /* a client holds the record */
/* the copy of the record */
bit there[3];
byte seen[3];                     /* the stores it descends from; of a copy that is not there: what its absence stands for */
byte rsn[3];
byte dmaster[3];
/* the change history, storage/change_history.hpp */
bit noting[3];
byte earlier[3];                  /* bases that it has been at before, and knows all changes since */
byte changed[3];                  /* the base since which the record has changed last; 0: not that is known */

/* ---- between nodes ---- */
bit link[3];                      /* 0-1, 0-2, 1-2 */
#define LINKED(a, b) ((a) == (b) || link[(a) + (b) - 1])
#define REACHED(n) (BIT(n) | LINKED(n, 0) | (LINKED(n, 1) << 1) | (LINKED(n, 2) << 2))
#define CALL 1
#define DMASTER 2
#define REPLY 3
/* kind, node it is for, rsn, stores, generation */
chan wire[9] = [ROOM] of { byte, byte, byte, byte, byte };
#define WIRE(from, to) wire[(from) * 3 + (to)]

/* ---- a leader's recovery ---- */
#define RESTING 0
#define SETTING_MAP 1
#define FREEZING 2
#define BEGINNING 3
#define MERGING 4
#define COMMITTING 5
#define THAWING 6
byte phase[3];
byte plan_gen[3];
byte plan_nodes[3];
byte done[3];                     /* who has taken the step of this phase */
byte counts[3];                   /* whose copies count */
short told[3];                    /* of which generation each participant's content was said to be: 3 bits each */
#define TOLD(leader, n) ((told[leader] >> (3 * (n))) & 7)
byte made_by[3];                  /* who has committed it in an earlier try */
byte lacking[3];                  /* who gets the winner */
bit whole[3];                     /* everything was pulled, and replaces what there was */
byte base[3];
bit won_there[3];
byte won_seen[3], won_rsn[3], won_dmaster[3];

inline end_recovery(n) {
  phase[n] = RESTING; plan_gen[n] = 0; plan_nodes[n] = 0; done[n] = 0; counts[n] = 0; told[n] = 0; made_by[n] = 0;
  lacking[n] = 0; whole[n] = 0; base[n] = 0; won_there[n] = 0; won_seen[n] = 0; won_rsn[n] = 0; won_dmaster[n] = 0
}

#define GIVE_UP(n, why) printf(why, n); end_recovery(n)

byte leader_of[3];                /* where elections are modelled: whom a node takes for the leader */

/* ---- what was acknowledged ---- */
byte stores = 1;
byte deletions;                   /* of the stores */
byte given_to_all = 2;            /* what recoveries that everybody has committed have found */
byte excused;                     /* stores that may be missing */
byte given_up;                    /* of these: what was given up because others had touched the record */
#define ACKNOWLEDGED ((BIT(stores + 1) - 1) & 254)
#define HELD_BY(n) (content[n] == 0 -> 0 : seen[n])
/* the record has data: the last store it descends from is no deletion */
#define LAST(s) ((s) >= 32 -> 5 : ((s) >= 16 -> 4 : ((s) >= 8 -> 3 : ((s) >= 4 -> 2 : 1))))
#define HAS_DATA(s) ((s) != 0 && !IN(LAST(s), deletions))

byte holds_used, requests_used, breaks_used, kills_used, give_ups_used, retries_used;

/* ---- placement: protocol/rules/placement.hpp ---- */
#define LMASTER_OF(nodes) (LMASTER == 0 -> (IN(0, nodes) -> 0 : (IN(1, nodes) -> 1 : 2)) : \
                          (LMASTER == 1 -> ((nodes) == 1 -> 0 : ((nodes) == 2 || (nodes) == 3 || (nodes) == 7 -> 1 : 2)) : \
                                           ((nodes) == 7 || (nodes) == 4 -> 2 : (IN(0, nodes) -> 0 : 1))))
#define LMASTER_AT(n) LMASTER_OF(members[map[n]])
#define IS_LEFT_ITS_OWNER(n) (there[n] && IN(dmaster[n], members[map[n]]))
#define OWNER_AT(n) (IS_LEFT_ITS_OWNER(n) -> dmaster[n] : LMASTER_AT(n))

/* ---- what a node does at all ---- */
#define MAP_APPLIES(n) (map[n] != 0 && (content[n] == map[n] || !R2))
#define SERVES(n) (freeze[n] == THAWED && MAP_APPLIES(n))
#define GRANTS(n) (SERVES(n) && OWNER_AT(n) == (n))
/* what a holder stores is acknowledged */
#define STORES_OF_HOLDER(n) (locked[n] && (own_freeze[n] != MUTED || !R10) && !(freeze[n] == THAWED && !MAP_APPLIES(n)))

/* scratch, of one event */
hidden byte i, j, k, g, h, nodes, kind, about, from_rsn, from_seen, to, best, historian, count, missing, need, absence, earliest;
hidden byte found, ok, told_by, key_known, is_before, is_after, own_part, by_difference, same;
hidden byte common[3], since[3];
hidden byte before, after, told_of;
