/// floe recover: asks for a recovery and waits for its end.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "actors/client/recovery_wait.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/troubles.hpp"
#include "cli/waiting_line.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/recovery_answer.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

/// What a recovery that is asked for by message has found.
struct comparison {
  std::int32_t differed = 0;  ///< contents; or a negative errno
  std::vector<std::string> what;
};

comparison comparison_of(const recovery_answer& a) {
  comparison v{.differed = a.differed, .what = {}};
  for (byte_view rest = a.what; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    v.what.emplace_back(line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return v;
}

/// The leader's answer, at the end of the recovery.
result<comparison> ask_leader(blocking_client& node, bool whole, bool verify, duration patience) {
  const auto request = nth(message::floe_recover, (whole ? 1U : 0U) | (verify ? 2U : 0U));
  const auto here = nth(message::tool_answer, static_cast<std::uint64_t>(::getpid()) << 8);
  const auto data = wire::encode(srvid_message{.pnn = node.self(), .srvid = here});
  auto heard = node.wait<comparison>([&](auto finished) {
    const auto alarm = node.loop().after(patience, [finished] {
      finished(std::unexpected(client_error{
          client_errc::timed_out, 0, "no floe node leads, or the recovery has not ended in time"}));
    });
    const auto answered = [&node, finished, alarm](const client_message& m) {
      const auto a = wire::decode<recovery_answer>(m.data);
      if (!a) return;
      node.loop().cancel(alarm);
      finished(comparison_of(*a));
    };
    node.async().listen(
        here, answered, patience, [&node, finished, alarm, request, data](const result<void>& r) {
          if (r) return node.async().send_message(pnn::broadcast_connected, request, data);
          node.loop().cancel(alarm);
          finished(std::unexpected(r.error()));
        });
  });
  node.async().unlisten(here);
  return heard;
}

void print_comparison(const comparison& v) {
  if (v.differed == 0) return print("all nodes have the same\n");
  for (const auto& line : v.what)
    print_text(paint(style::bad, "differed: " + wire::visible(line)) + "\n");
  print_text(
      fmt::format("{} {} made equal by a recovery of everything\n", v.differed,
                  v.differed == 1 ? "content differed and was" : "contents differed and were"));
}

/// Nodes that take part hear of the end a moment after the one that is watched. Who looks at one of them next shall find it so.
void wait_for_all(blocking_client& node, duration patience) {
  constexpr duration moment = std::chrono::milliseconds(20);
  const auto until = node.loop().now() + std::min<duration>(patience, std::chrono::seconds(1));
  while (node.loop().now() < until) {
    const auto map = node.control<control::get_nodemap>(pnn::current, {}, patience);
    if (!map) return;
    std::vector<pnn> taking_part;
    for (const auto& n : map->value.nodes)
      if (!(n.flags & node_flag::inactive)) taking_part.push_back(n.pnn);
    const auto modes = node.control_many(taking_part, control::get_recmode, {}, patience);
    if (std::ranges::none_of(modes, [](const node_reply& r) {
          return r.reply && r.reply->status == static_cast<std::int32_t>(recovery_mode::active);
        }))
      return;
    (void)node.wait<int>(
        [&](auto finished) { node.loop().after(moment, [finished] { finished(0); }); });
  }
}

int run_by_message(context& c, blocking_client& node, bool whole, bool verify) {
  const auto begin = node.loop().now();
  const auto found = [&] {
    const waiting_line shown(node, "recover");
    return ask_leader(node, whole, verify, c.long_patience());
  }();
  if (!found) return c.fail("recover", found.error());
  if (found->differed == -EOPNOTSUPP)
    return c.fail(
        "recover: contents can be compared among floe nodes only, and a ctdbd is connected");
  if (found->differed < 0) return c.fail("recover: the leader leads no more; ask again");
  wait_for_all(node, c.patience());
  const auto now = node.control<control::getvnnmap>(node.self(), {}, c.patience());
  if (!now) return c.fail("recover", now.error());
  const double ms = std::chrono::duration<double, std::milli>(node.loop().now() - begin).count();
  if (c.options.json) {
    auto j = open_json("recover");
    j.number("generation", number(now->value.generation));
    j.real("ms", ms);
    j.boolean("whole", whole);
    j.boolean("verified", verify);
    j.begin_list("differed");
    for (const auto& line : found->what) j.text({}, line);
    j.end();
    print_json(std::move(j));
  } else {
    print_text(fmt::format("recovered{} in {}, generation {}\n", whole ? " everything" : "",
                           age_text(ms), number(now->value.generation)));
    if (verify) print_comparison(*found);
  }
  return found->differed == 0 ? done : says_no;
}

/// Who is banned or stopped takes part in no recovery, however long it is waited for; empty: it does.
result<std::string> why_left_out(blocking_client& node, pnn at, duration patience) {
  const auto map = node.control<control::get_nodemap>(at, {}, patience);
  if (!map) return std::unexpected(map.error());
  const auto self = std::ranges::find(map->value.nodes, at, &node_and_flags::pnn);
  const auto out = node_flag::banned | node_flag::stopped;
  if (self == map->value.nodes.end() || !(self->flags & out)) return std::string();
  const auto known = troubles_in(ask_reports(node, {at}, patience), at);
  const auto why = reason_of(known, at, reasons::without_databases);
  const auto next = std::ranges::find(known, std::optional(at), &known_trouble::node);
  return fmt::format("node {} takes part in no recovery: it {}{}", number(at),
                     why.empty() ? "is " + node_flags_text(self->flags & out) : why,
                     next == known.end() ? "" : "; try: " + next->next);
}

int run_recover(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  if (a.has("--whole") || a.has("--verify"))
    return run_by_message(c, **node, a.has("--whole"), a.has("--verify"));
  auto at = c.target();
  if (!at) return at.error();
  const auto left_out = why_left_out(**node, *at, c.patience());
  if (!left_out) return c.fail("recover", left_out.error());
  if (!left_out->empty()) return c.fail("recover: " + *left_out);
  const auto before = (*node)->control<control::getvnnmap>(*at, {}, c.patience());
  if (!before) return c.fail("recover", before.error());
  const auto begin = (*node)->loop().now();
  const auto asked =
      (*node)->control<control::set_recmode>(*at, recovery_mode::active, c.patience());
  if (!asked) return c.fail("recover", asked.error());
  const auto end = [&] {
    const waiting_line shown(**node, "recover", *at);
    return (*node)->wait<recovered_state>([&](auto finished) {
      wait_recovered((*node)->async(), *at, before->value.generation, c.long_patience(), finished);
    });
  }();
  if (!end) return c.fail("recover", end.error());
  wait_for_all(**node, c.patience());
  const double ms =
      std::chrono::duration<double, std::milli>((*node)->loop().now() - begin).count();
  if (c.options.json) {
    auto j = open_json("recover");
    j.number("generation", number(end->generation));
    j.real("ms", ms);
    print_json(std::move(j));
  } else {
    print_text(
        fmt::format("recovered in {}, generation {}\n", age_text(ms), number(end->generation)));
  }
  return done;
}

}  // namespace

command recover_command() {
  return {.name = "recover",
          .group = "Cluster",
          .summary = "start a recovery and wait for its end",
          .example = "floe --base DIR recover -t 30\nfloe --base DIR recover --verify",
          .options = {{"--whole", nullptr, "of every record, not only of what has changed"},
                      {"--verify", nullptr,
                       "then compare what all nodes have; what differs is named, recovered whole, "
                       "and an error"}},
          .run = run_recover};
}

}  // namespace floe::cli
