#include "cli/cluster_state.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/troubles.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"

namespace floe::cli {
namespace {

std::optional<pnn> leader_in(const std::string& report) {
  const auto j = nlohmann::json::parse(report, nullptr, false);
  if (!j.is_object() || !j.contains("leader") || !j["leader"].is_number_unsigned())
    return std::nullopt;
  return pnn{j["leader"].get<std::uint32_t>()};
}

result<std::string> ask_report(blocking_client& c, pnn node, duration patience) {
  auto r = c.control<control::get_node_status>(node, {}, patience);
  if (!r) return std::unexpected(r.error());
  return std::string(r->value.value);
}

/// What the report says of itself; a ctdbd has none, and one that cannot be read says nothing.
bool says_healthy(const std::string& report) {
  const auto j = nlohmann::json::parse(report, nullptr, false);
  if (!j.is_object() || !j.contains("healthy") || !j["healthy"].is_boolean()) return true;
  return j["healthy"].get<bool>();
}

/// By CTDB's own controls.
bool flags_are_good(const cluster_state& s) {
  return s.mode == recovery_mode::normal && s.run == floe::runstate::running &&
         std::ranges::all_of(s.nodes.nodes, [](const auto& n) {
           return n.flags == 0 || (n.flags & node_flag::deleted);
         });
}

result<pnn> listen_for_leader(blocking_client& c, duration patience) {
  auto heard = c.wait<pnn>([&](auto done) {
    const auto alarm = c.loop().after(patience, [done] {
      done(std::unexpected(
          client_error{client_errc::timed_out, 0, "no leader has said so", pnn::current}));
    });
    const auto on_message = [&c, done, alarm](const client_message& m) {
      const auto p = wire::decode<std::uint32_t>(m.data);
      if (!p || pnn{*p} == pnn::unknown) return;
      c.loop().cancel(alarm);
      done(pnn{*p});
    };
    c.async().listen(message::leader, on_message, patience,
                     [done, &c, alarm](const result<void>& r) {
                       if (r) return;
                       c.loop().cancel(alarm);
                       done(std::unexpected(r.error()));
                     });
  });
  c.async().unlisten(message::leader);
  return heard;
}

}  // namespace

bool cluster_state::healthy() const { return flags_are_good(*this) && says_healthy(report); }

bool cluster_state::is_up() const {
  return flags_are_good(*this) &&
         std::ranges::all_of(troubles_in({{node, report}}, node), [](const known_trouble& t) {
           return !t.ill || t.kind == "database-damaged" || t.kind == "database-disputed";
         });
}

std::string node_state_text(std::uint32_t flags) {
  return flags == 0 ? "OK" : std::string(node_flags_text(flags));
}

void ask_cluster_health(client& c, pnn node, duration patience, when_done<cluster_state> done) {
  struct job_state {
    cluster_state s;
    std::size_t missing = 5;
    std::optional<client_error> error;
    when_done<cluster_state> done;
    void part(const client_error* e) {
      if (e && !error) error = *e;
      if (--missing > 0) return;
      if (error) return done(std::unexpected(*error));
      done(s);
    }
  };
  auto j = std::make_shared<job_state>();
  j->s.node = node == pnn::current ? c.self() : node;
  j->done = std::move(done);
  c.control<control::get_nodemap>(node, {}, patience, [j](const auto& r) {
    if (r) j->s.nodes = r->value;
    j->part(r ? nullptr : &r.error());
  });
  c.control<control::getvnnmap>(node, {}, patience, [j](const auto& r) {
    if (r) j->s.map = r->value;
    j->part(r ? nullptr : &r.error());
  });
  c.control<control::get_recmode>(node, {}, patience, [j](const auto& r) {
    if (r) j->s.mode = static_cast<recovery_mode>(r->status);
    j->part(r ? nullptr : &r.error());
  });
  c.control<control::get_runstate>(node, {}, patience, [j](const auto& r) {
    if (r) j->s.run = r->value;
    j->part(r ? nullptr : &r.error());
  });
  c.control<control::get_node_status>(node, {}, patience, [j](const auto& r) {
    if (r) j->s.report = std::string(r->value.value);
    j->part(r || r.error().code == client_errc::refused ? nullptr : &r.error());
  });
}

result<cluster_state> ask_cluster_state(blocking_client& c, pnn node, duration patience) {
  auto s = c.wait<cluster_state>(
      [&](auto done) { ask_cluster_health(c.async(), node, patience, done); });
  if (!s) return s;
  if (!s->report.empty())
    s->leader = leader_in(s->report);
  else if (auto leader = listen_for_leader(c, patience))
    s->leader = *leader;
  return s;
}

result<pnn> find_leader(blocking_client& c, pnn asked, duration patience) {
  auto report = ask_report(c, asked, patience);
  if (!report) {
    if (report.error().code != client_errc::refused) return std::unexpected(report.error());
    return listen_for_leader(c, patience);
  }
  if (const auto p = leader_in(*report)) return *p;
  const auto why = first_illness(*report);
  return std::unexpected(
      client_error{client_errc::refused, 0,
                   why.empty() ? "no leader is known: an election is going on" : why, asked});
}

}  // namespace floe::cli
