#pragma once
/// The story of `floe samba demo`: three nodes with an smbd each, an smbd that dies with a file open, a node that is killed.
#include <functional>
#include <string>

#include "cli/cluster/layout.hpp"

namespace floe::cli {

struct demo_result {
  std::string failed;        ///< empty: all went as it should
  double free_after_ms = 0;  ///< from the death of an smbd until its open file is nobody's
  double slowest_ms = 0;     ///< of the sessions while node 2 died, each a connection and an upload
  double usual_ms = 0;       ///< of one before
};
/// `tell` is given one line after the other. The cluster runs and is healthy; the caller ends it.
demo_result play_samba_demo(const local_cluster&, const std::string& library,
                            const std::function<void(const std::string&)>& tell);

}  // namespace floe::cli
