#pragma once
/// Diagnosis: the gate before the effects of a recovery's machine. When it is shut, at the phase where the recovery is to be
/// held, effects are kept until it opens; what ends the recovery does not ask it.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace floe {

template <class Effect>
class effect_gate {
 public:
  /// The phase that it is shut at; empty: it is open.
  const std::string& shut_at() const { return phase_; }
  bool is_open() const { return phase_.empty(); }
  void shut(std::string_view phase, Effect first) {
    phase_ = phase;
    kept_.push_back(std::move(first));
  }
  /// True: the effect waits behind others.
  bool keeps(const Effect& e) {
    if (kept_.empty()) return false;
    kept_.push_back(e);
    return true;
  }
  /// What was kept, in its order.
  std::vector<Effect> open() {
    phase_.clear();
    return std::exchange(kept_, {});
  }
  /// The recovery ends where it is held.
  void drop() { kept_.clear(); }

 private:
  std::string phase_;
  std::vector<Effect> kept_;
};

}  // namespace floe
