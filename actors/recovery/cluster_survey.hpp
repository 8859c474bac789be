#pragma once
/// What the nodes say of themselves in the first phases of a recovery: flags, capabilities and map in the survey, then their
/// databases, and, if they are floe's, where each of these stands. A node is asked several questions in a phase; when it has
/// answered all, or refused one, that is an event for the recovery's machine.
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "actors/recovery/recovery_message.hpp"
#include "protocol/controls.hpp"
#include "protocol/rules/cluster_recovery.hpp"

namespace floe {

class cluster_survey {
 public:
  /// `phase`: survey or dbmaps. What was known of the node in it is forgotten.
  std::span<const control> questions(cluster_phase phase, recovery_epoch, pnn);
  /// Nothing: the node owes more answers, or has failed before.
  std::optional<cluster_input> take(const rec_answer&);
  /// As it has said in its survey.
  bool is_floe(pnn) const;
  std::set<pnn> floe_nodes() const;

 private:
  template <class Event>
  struct asked {
    Event result;
    std::size_t missing = 0;  ///< answers
    bool failed = false;
  };

  std::optional<std::string> take(cluster_event::surveyed&, const rec_answer&) const;
  std::optional<std::string> take(cluster_event::listed&, const rec_answer&) const;
  template <class Event>
  std::optional<cluster_input> take(std::map<pnn, asked<Event>>&, const rec_answer&);

  std::map<pnn, asked<cluster_event::surveyed>> surveys_;
  std::map<pnn, asked<cluster_event::listed>> listings_;
};

/// Why a node has refused what a recovery asked it for.
cluster_input refusal(const rec_answer&, std::string why);
cluster_input refusal(const rec_answer&);

}  // namespace floe
