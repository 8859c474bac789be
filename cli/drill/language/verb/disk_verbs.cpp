/// What the disk of a node does to it.
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {
namespace {

action read_disk(line_parser& w) {
  auto node = w.node();
  if (w.take("full")) {
    w.needs(ability::full_disk);
    return for_each_node({node}, [](drill_run& s, std::size_t n) -> outcome {
      s.disturb(n, "out of disk space", fault_kind::weak);
      s.cluster().set_disk_full(n, true);
      return {};
    });
  }
  if (w.take("fails")) {
    w.needs(ability::failing_disk);
    const bool flush = w.take("flush");
    if (!flush) w.expect("write");
    const auto nth = w.count(1, 1'000'000, "at which turn, a number");
    return for_each_node({node}, [flush, nth](drill_run& s, std::size_t n) -> outcome {
      s.disturb(n, "about to lose a write", fault_kind::weak);
      s.cluster().fail_disk(n, flush ? disk_fault::flush : disk_fault::write, nth);
      return {};
    });
  }
  if (w.take("slow")) {
    w.needs(ability::slow_disk);
    w.expect("by");
    const auto d = w.time();
    return for_each_node({node}, [d](drill_run& s, std::size_t n) -> outcome {
      s.cluster().set_disk_delay(n, d);
      return {};
    });
  }
  if (!w.take("good")) w.miss("full, fails, slow or good");
  return for_each_node({node}, [](drill_run& s, std::size_t n) -> outcome {
    s.past.cure(n, fault_kind::weak, s.now());
    s.cluster().mend_disk(n);
    return {};
  });
}

}  // namespace

std::vector<verb> disk_verbs() {
  return {{.name = "disk",
           .group = "Faults",
           .arguments = "NODE full | fails write|flush N | slow by DURATION | good",
           .summary = "a disk that is full, refuses the Nth write or flush from now, is slow, or "
                      "is good again",
           .example = "disk 1 full",
           .read = read_disk,
           .fault = {.ends = fault_end::undone, .mended_by = "good"},
           .uses = {"disk {node>sick} full", "disk {node>sick} fails write {1-200}",
                    "disk {node>sick} fails flush {1-50}", "disk {node>sick} slow by {time}",
                    "disk {-sick} good"}}};
}

}  // namespace floe::cli::drill
