#pragma once
/// The freeze states of one database (protocol/rules/freeze.hpp) in a rule script.
#include "protocol/rules/freeze.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

struct freeze_machine final : machine {
  freeze_status now{};

  bool feed(words&, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override;
};

/// The status that the words `STATE [tid=N] [wiped] [pushing] [records_invalid]` name.
freeze_status parse_freeze_status(words&);

}  // namespace floe::rule_script
