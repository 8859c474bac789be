#pragma once
/// The part of a run that its story is about: from the first fault until all nodes that it has brought into recovery mode ACTIVE
/// are NORMAL again. For a picture that people see whole.
#include "cli/drill/report/run_record.hpp"

namespace floe::cli::drill {

/// Without a fault, or before anything has followed from it: the last episode of the run (cli/timeline/picture.hpp).
timeline_picture episode_of(const run_record&);

}  // namespace floe::cli::drill
