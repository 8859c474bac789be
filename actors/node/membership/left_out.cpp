#include "actors/node/membership/left_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/events.hpp"
#include "protocol/rules/left_out.hpp"

namespace floe {

/// The leader waits for an answer for as long as RecoverTimeout says, and puts silence down to this node.
duration left_out::patience() const {
  return std::chrono::milliseconds(500) * std::max(1U, port_.tunables[tunable::recover_timeout]);
}

duration left_out::keepalives() const {
  return std::chrono::milliseconds(port_.tunables[tunable::floe_keepalive_ms]);
}

void left_out::map_taken(const std::vector<pnn>& before,
                         const answer_to<control::setvnnmap>& answer) {
  if (waits_) end("another map was set since");
  std::vector<pnn> so_far;
  for (const auto& [n, told] : owed_) so_far.push_back(n);
  std::map<pnn, bool> owed;
  for (const pnn n : left_out_by(so_far, before, port_.view().members, port_.env.self))
    owed[n] = false;
  owed_ = std::move(owed);
  waits_ = {.gen = port_.view().gen, .answer = answer, .until = port_.env.loop.now() + patience()};
  go_on();
}

void left_out::go_on() {
  port_.env.loop.cancel(look_again_);
  const auto now = port_.env.loop.now();
  const auto nodes = port_.pulse->members(now);
  std::vector<pnn> to_tell;
  std::optional<duration> wait;
  std::erase_if(owed_, [&](auto& one) {
    const auto m = std::ranges::find(nodes, one.first, &part_member::node);
    if (m == nodes.end()) return true;  // deleted
    const auto v = judge_left_out(*m, one.second, keepalives());
    if (v.what == left_out_verdict::kind::settled) return true;
    if (v.what == left_out_verdict::kind::tell) to_tell.push_back(one.first);
    wait = std::min(wait.value_or(v.wait), v.wait);
    return false;
  });
  if (!waits_) return;
  if (owed_.empty()) return end();
  if (now >= waits_->until)
    return end(fmt::format("node {} may not know that others go on without it",
                           number(owed_.begin()->first)));
  look_again_ = port_.env.loop.after(std::min(*wait, waits_->until - now),
                                     [this, here = std::weak_ptr(here_)] {
                                       if (!here.expired()) go_on();
                                     });
  for (const pnn n : to_tell)
    if (waits_) tell(n);
}

void left_out::tell(pnn n) {
  owed_[n] = true;
  calls_.send(n, {.opcode = control::freeze, .flags = freeze_left_out}, patience(),
              replier([this, here = std::weak_ptr(here_), n,
                       of = port_.view().gen](const control_answer& a) {
                if (!here.expired()) answered(n, of, a);
              }));
}

/// Of an earlier map: it may be told once more.
void left_out::answered(pnn n, generation of, const control_answer& a) {
  const auto one = owed_.find(n);
  if (one == owed_.end() || !waits_ || waits_->gen != of) return;
  if (a.status == 0)
    owed_.erase(one);
  else if (a.cause == failure_cause::refused)
    return end(fmt::format("node {}, which is left out: {}", number(n), a.text));
  else
    one->second = false;
  go_on();
}

void left_out::end(std::string why) {
  port_.env.loop.cancel(look_again_);
  const auto w = std::exchange(waits_, std::nullopt);
  why.empty() ? w->answer.good() : w->answer.fail(std::move(why));
}

void left_out::freeze_all(const answer_to<control::freeze>& answer, how h) {
  const auto left = std::make_shared<std::size_t>(databases_.all().size());
  if (*left == 0) return answer.good();
  for (const auto& [id, d] : databases_.all()) {
    call_control one{.to = port_.env.self,
                     .opcode = control::db_freeze,
                     .data = encode_request<control::db_freeze>(id),
                     .patience = h == how::at_once ? patience() : 2 * patience(),
                     .answer = replier([left, answer, h](control_answer a) {
                       // whoever does not open it serves nobody
                       const bool serves_nobody =
                           h == how::at_once && a.cause == failure_cause::refused;
                       if (a.status != 0 && !serves_nobody) return answer.plain()(std::move(a));
                       if (--*left == 0) answer.good();
                     }),
                     .flags = h == how::at_once ? freeze_left_out : 0};
    calls_.send(one);
  }
}

}  // namespace floe
