#include "protocol/rules/ban.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

constexpr std::size_t evidence_kept = 64;  ///< per node; credits go on counting

/// The different things said, each once: "node 2 timed out in freeze of 0x00000001 (3 times)".
std::string summary(std::span<const evidence> why) {
  std::vector<std::pair<std::string, unsigned>> said;
  for (const auto& e : why) {
    auto text = describe(e);
    const auto it = std::ranges::find(said, text, &std::pair<std::string, unsigned>::first);
    if (it == said.end())
      said.emplace_back(std::move(text), 1);
    else
      ++it->second;
  }
  std::string s;
  for (const auto& [text, times] : said) {
    if (!s.empty()) s += "; ";
    s += text;
    if (times > 1) s += " (" + std::to_string(times) + " times)";
  }
  return s;
}

void worst_first(std::vector<ban_verdict>& v) {
  std::ranges::stable_sort(v, std::ranges::greater{}, &ban_verdict::credits);
}

}  // namespace

std::vector<ban_verdict> spoilers(std::span<const evidence> failures, unsigned enough) {
  std::map<pnn, std::vector<evidence>> charged;
  for (const auto& e : failures)
    if (e.credit && e.node != pnn::unknown) charged[e.node].push_back(e);
  std::vector<ban_verdict> found;
  for (const auto& [node, why] : charged)
    if (why.size() >= enough && !mutated(mutant::spoilers_never_banned))
      found.push_back({node, static_cast<unsigned>(why.size()), summary(why)});
  worst_first(found);
  return found;
}

void ban_ledger::add(const evidence& why, time_point now, unsigned credits) {
  if (why.node == pnn::unknown || credits == 0) return;
  account& a = accounts_[why.node];
  if (!fresh(a, now)) a = {};
  a.credits += credits;
  a.last = now;
  if (a.why.size() < evidence_kept) a.why.push_back(why);
}

void ban_ledger::attempt_failed(time_point started, time_point now) {
  for (auto& [node, a] : accounts_)
    if (fresh(a, started)) a.last = std::max(a.last, now);
}

unsigned ban_ledger::credits(pnn node, time_point now) const {
  const auto it = accounts_.find(node);
  return it == accounts_.end() || !fresh(it->second, now) ? 0 : it->second.credits;
}

std::vector<ban_verdict> ban_ledger::verdicts(std::size_t nodes, time_point now) const {
  std::vector<ban_verdict> found;
  for (const auto& [node, a] : accounts_)
    if (fresh(a, now) && a.credits >= 2 * nodes) found.push_back({node, a.credits, summary(a.why)});
  worst_first(found);
  return found;
}

}  // namespace floe
