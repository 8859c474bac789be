/// What a recovery under way tells of itself, as JSON; shown in the status of its leader.
#include <iterator>
#include <span>

#include "actors/json_text.hpp"
#include "actors/recovery/coordinator.hpp"

namespace floe {
namespace {

std::string nodes_text(std::span<const pnn> nodes) {
  return json_list(nodes, [](pnn p) { return number(p); });
}

void add_database(std::string& text, db_id id, const db_progress& p, std::int64_t now_us) {
  fmt::format_to(
      std::back_inserter(text),
      R"({{"id":"{:#010x}","name":{},"phase":"{}","attempt":{},"since_us":{},"waiting_for":[{}],)"
      R"("records_pulled":{},"records_merged":{},"records_pushed":{},"held":{})",
      number(id), json_quoted(p.name), name(p.phase), p.attempt, p.since_us,
      nodes_text(p.waiting_for), p.pulled, p.merged, p.pushed, json_quoted(p.held));
  if (p.share >= 0) {
    fmt::format_to(std::back_inserter(text), R"(,"share":{})", p.share);
    const auto spent = static_cast<double>(now_us - p.since_us) / 1000;
    if (p.share > 0)
      fmt::format_to(std::back_inserter(text), R"(,"left_ms":{})",
                     static_cast<std::int64_t>(spent * (1 - p.share) / p.share));
  }
  text += '}';
}

}  // namespace

std::string coordinator::report() {
  auto text = fmt::format(
      R"({{"run":{},"generation":{},"why":{},"started_us":{},"phase":"{}","phase_since_us":{},)"
      R"("waiting_for":[{}],"freeze":"{}","held":{},"databases":[)",
      number(config_.plan.epoch), number(machine_.plan().gen), json_quoted(config_.reason),
      started_us_, name(machine_.phase()), phase_since_us_, nodes_text(machine_.waiting_for()),
      config_.plan.freeze_all_first ? "all" : "db", json_quoted(gate_.shut_at()));
  const auto comma = [&] {
    if (text.back() != '[') text += ',';
  };
  const auto now_us = env_.loop.wall_us();
  for (const auto& [id, p] : progress_) {
    comma();
    add_database(text, id, p, now_us);
  }
  text += R"(],"failures":[)";
  for (const auto& f : machine_.failures()) {
    comma();
    text += json_quoted(describe(f));
  }
  text += ']';
  if (deadlock_) {
    const auto names = [&](const std::vector<db_id>& all) {
      return json_list(all, [&](db_id id) { return json_quoted(progress_[id].name); });
    };
    text += fmt::format(R"(,"deadlock":{{"frozen":[{}],"not_frozen":[{}]}})",
                        names(deadlock_->frozen), names(deadlock_->not_frozen));
  }
  return text + '}';
}

}  // namespace floe
