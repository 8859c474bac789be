/// What the disk of a node does to it.
#include <cerrno>

#include "cli/drill/stage.hpp"
#include "cli/drill/verb/all.hpp"

namespace floe::cli::drill {
namespace {

action read_disk(words& w) {
  auto node = w.node();
  if (w.take("full"))
    return for_each_node({node}, [](stage& s, std::size_t n) -> outcome {
      s.disturb(n, "out of disk space", true);
      s.cluster().disk(n).set_full(true);
      return {};
    });
  if (w.take("fails")) {
    const bool flush = w.take("flush");
    if (!flush) w.expect("write");
    const auto nth = w.count(1, 1'000'000, "at which turn, a number");
    return for_each_node({node}, [flush, nth](stage& s, std::size_t n) -> outcome {
      s.disturb(n, "about to lose a write", true);
      s.cluster().disk(n).fail(flush ? disk_op::flush : disk_op::write, nth, EIO);
      return {};
    });
  }
  if (w.take("slow")) {
    w.expect("by");
    const auto d = w.time();
    return for_each_node({node}, [d](stage& s, std::size_t n) -> outcome {
      s.cluster().set_disk_delay(n, d);
      return {};
    });
  }
  if (!w.take("good")) w.miss("full, fails, slow or good");
  return for_each_node({node}, [](stage& s, std::size_t n) -> outcome {
    s.cluster().disk(n).set_full(false);
    s.cluster().disk(n).fail(disk_op::open, 0);
    s.cluster().set_disk_delay(n, {});
    return {};
  });
}

}  // namespace

std::vector<verb> disk_verbs() {
  return {{.name = "disk",
           .group = "Faults",
           .arguments = "NODE full | fails write|flush N | slow by DURATION | good",
           .summary = "a disk that is full, refuses the Nth write or flush from now, is slow, or is good again",
           .example = "disk 1 full",
           .read = read_disk}};
}

}  // namespace floe::cli::drill
