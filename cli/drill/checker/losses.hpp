#pragma once
/// Why an acknowledged write is gone.
///
/// Who has what a write left is known for certain of: the node it was made on; every node on which
/// somebody saw it, or something written after it, since (to be seen there the record had to come
/// there, and a node keeps its copy when it gives a record away); and, when one of those had its copy
/// put together with others in a recovery, every node that has committed the result. A loss is
/// explained if each of these nodes was harmed after it had got its copy (`history::harmed`); it is
/// put down to the harm of the one that got it last, the dmaster of the time. Of a cut cluster with two
/// sides one goes on: that it was cut explains the loss of what one side had, not of what both had.
///
/// Parts of a cluster may go on beside each other (parts_may_go_on). If a record was written in
/// both while they were apart (content_history.hpp) one of the two is lost when they meet: a loss is explained if a write
/// of the other part is not missing where this one is.
///
/// A wipe is meant for all nodes. Its loss is explained as well if all that have taken part in it were harmed since, and not
/// only cut off from others that know nothing of it.
///
/// Of a deletion nodes need not keep a copy: an empty record goes away when it is given away. Up to
/// the next recovery the harm of any node that had it explains its loss, also of one that was asking
/// for it.
#include <optional>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/content_history.hpp"
#include "cli/drill/checker/record_holders.hpp"
#include "cli/drill/checker/register_history.hpp"

namespace floe::cli::drill {

/// Whether parts of a cluster go on beside each other: without a cluster lock, with one that was given to two, or where it decides
/// nothing (`quorum=none`); never where a majority is asked for.
bool parts_may_go_on(const history&);

/// Nothing: no disturbance explains that this sight, which began after the write was over, did not see it.
std::optional<disturbance> explain_loss(const history&, const observations&,
                                        const register_history&, record_holders&,
                                        const content_history&, std::size_t write,
                                        const stale_sight&);

/// What was seen there is no word about this write: it was made in another part of the cluster, and the two had not met.
bool in_another_part(const history&, const content_history&, std::size_t write,
                     const operation& sight);

}  // namespace floe::cli::drill
