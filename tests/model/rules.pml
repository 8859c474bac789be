/* The rules, a switch each: without it (R8=0) the model makes the mistake that the rule is there to prevent. runs.txt has
 * runs for each that must find what goes wrong then. The file named beside it says the same of itself ("rule R8"); the
 * fences of the tree compare both. */

/* R1   Each answer to `begin` carries the generation of the content; if one is not as it was told, the recovery ends.
 *      protocol/rules/db_recovery.hpp */
hidden byte R1;
/* R2   Under a new map nothing is granted, stored or moved before the recovery to that generation has committed.
 *      protocol/rules/migration.hpp */
hidden byte R2;
/* R3   A thaw carries its generation, and is refused unless content and map have it and no transaction is open. Held by R2 as
 *      well: a node that is thawed too early serves nobody.
 *      protocol/rules/own_freeze.hpp */
hidden byte R3;
/* R5   With each commit a node keeps where it came from and what was changed on the way.
 *      protocol/rules/db_recovery.hpp */
hidden byte R5;
/* R6   The winner of a recovery by difference is stored as it is, the same everywhere.
 *      protocol/rules/winner.hpp */
hidden byte R6;
/* R7   A dmaster that is no member of the generation means the lmaster, which writes itself into the record before anybody gets it.
 *      protocol/rules/placement.hpp */
hidden byte R7;
/* R8   What a returner brings counts where nobody has touched the record since the others' first commit without it. Where it
 *      has recovered by itself as well it counts if nobody but its part has written the record since they parted, or nobody
 *      has and it had the later copy then.
 *      protocol/rules/winner.hpp */
hidden byte R8;
/* R9   Who has nothing that can be compared is given everything, and what it has never counts.
 *      protocol/rules/db_recovery.hpp */
hidden byte R9;
/* R10  A freeze of a node's own ends an open transaction, holds back what holders of locks store, and ends only with a
 *      commit.
 *      protocol/rules/own_freeze.hpp */
hidden byte R10;
/* R11  A member of the map is left out only if its process has ended, or after so long that it has frozen by itself.
 *      protocol/rules/quorum.hpp */
hidden byte R11;
/* R12  While a member is silent only nodes with content make up a majority.
 *      protocol/rules/quorum.hpp */
hidden byte R12;
/* R13  Whose content is of the last generation counts, the others do not.
 *      protocol/rules/lineage.hpp */
hidden byte R13;
/* R14  A packet with a record acts only in the generation of the map that it was sent in.
 *      protocol/rules/migration.hpp */
hidden byte R14;
/* R15  Who has committed a generation counts if it is tried again, and nobody else does.
 *      protocol/rules/db_recovery.hpp */
hidden byte R15;
/* R16  A node keeps the members of its last map when its process ends: who is silent and was one of them may have what is lost here.
 *      actors/node/membership/last_map.hpp */
hidden byte R16;
/* R17  A leader that freezes by itself gives up its recovery: the others may have left it out.
 *      actors/recovery/leader_votes.cpp */
hidden byte R17;
/* R18  While a member of the last generation is away an empty record stays, with its rsn: the other may have a later one.
 *      protocol/rules/winner.hpp */
hidden byte R18;

inline read_rules() {
  c_code {
    R1 = setting("R1", 1);
    R2 = setting("R2", 1);
    R3 = setting("R3", 1);
    R5 = setting("R5", 1);
    R6 = setting("R6", 1);
    R7 = setting("R7", 1);
    R8 = setting("R8", 1);
    R9 = setting("R9", 1);
    R10 = setting("R10", 1);
    R11 = setting("R11", 1);
    R12 = setting("R12", 1);
    R13 = setting("R13", 1);
    R14 = setting("R14", 1);
    R15 = setting("R15", 1);
    R16 = setting("R16", 1);
    R17 = setting("R17", 1);
    R18 = setting("R18", 1);
  }
}
