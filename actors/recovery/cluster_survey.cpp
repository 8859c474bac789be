#include "actors/recovery/cluster_survey.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::array survey_questions{control::get_nodemap, control::get_capabilities,
                                      control::getvnnmap};
/// In this order, because what the second answer says is noted with the databases of the first. A ctdbd knows only that.
constexpr std::array listing_questions{control::get_dbmap, control::get_db_lineages};

/// Of a node that has answered something, or has not: that its connection broke is another event of the machine.
failure_cause survey_cause(const control_answer& a) {
  const bool is_told = a.cause == failure_cause::timed_out || a.cause == failure_cause::unfit;
  return is_told ? a.cause : failure_cause::refused;
}

}  // namespace

cluster_input refusal(const rec_answer& m, std::string why) {
  return cluster_event::failed{m.epoch, m.phase, m.node, survey_cause(m.answer), std::move(why)};
}

cluster_input refusal(const rec_answer& m) {
  const auto& a = m.answer;
  return refusal(m, a.text.empty() ? fmt::format("status {}", a.status) : a.text);
}

std::span<const control> cluster_survey::questions(cluster_phase phase, recovery_epoch epoch,
                                                   pnn n) {
  if (phase == cluster_phase::survey) {
    surveys_[n] = {.result = {.epoch = epoch, .node = n}, .missing = survey_questions.size()};
    return survey_questions;
  }
  assert(phase == cluster_phase::dbmaps);
  const auto all = std::span(listing_questions).first(is_floe(n) ? 2 : 1);
  listings_[n] = {.result = {.epoch = epoch, .node = n}, .missing = all.size()};
  return all;
}

std::optional<cluster_input> cluster_survey::take(const rec_answer& m) {
  return m.phase == cluster_phase::survey ? take(surveys_, m) : take(listings_, m);
}

template <class Event>
std::optional<cluster_input> cluster_survey::take(std::map<pnn, asked<Event>>& all,
                                                  const rec_answer& m) {
  const auto i = all.find(m.node);
  if (i == all.end() || i->second.failed || i->second.result.epoch != m.epoch) return std::nullopt;
  auto& of_node = i->second;
  if (m.answer.status != 0) {
    of_node.failed = true;
    return refusal(m);
  }
  if (auto unreadable = take(of_node.result, m)) {
    of_node.failed = true;
    return refusal(m, std::move(*unreadable));
  }
  if (--of_node.missing > 0) return std::nullopt;
  return of_node.result;
}

/// A text: the answer cannot be read.
std::optional<std::string> cluster_survey::take(cluster_event::surveyed& s,
                                                const rec_answer& m) const {
  if (m.part == control::get_nodemap) {
    const auto map = wire::decode<node_map>(m.answer.data);
    if (!map || number(m.node) >= map->nodes.size()) return "unreadable node map";
    // its own opinion about itself; whether it is a node at all is not its to say
    s.flags = map->nodes[number(m.node)].flags & ~node_flag::deleted;
  } else if (m.part == control::get_capabilities) {
    const auto c = wire::decode<std::uint32_t>(m.answer.data);
    if (!c) return "unreadable capabilities";
    s.capabilities = *c;
  } else {
    auto v = wire::decode<vnn_map>(m.answer.data);
    if (!v) return "unreadable vnn map";
    s.gen = v->generation;
    s.map = std::move(v->slots);
  }
  return std::nullopt;
}

std::optional<std::string> cluster_survey::take(cluster_event::listed& l,
                                                const rec_answer& m) const {
  if (m.part == control::get_dbmap) {
    const auto map = wire::decode<dbid_map>(m.answer.data);
    if (!map) return "unreadable database map";
    for (const auto& d : map->dbs) l.databases.push_back({.db = d.db_id, .flags = d.flags});
    return std::nullopt;
  }
  const auto lines = wire::decode<db_lineage_list>(m.answer.data);
  if (!lines) return "unreadable lineages";
  for (const auto& e : lines->entries)
    if (e.db_id == db_id{} && e.member == pnn::unknown)
      l.was_in.push_back(e.generation);
    else if (e.db_id == db_id{})
      l.latest = e.generation;
  for (auto& d : l.databases) {
    lineage line{.gen = generation::invalid, .members = {}, .committed = true};
    for (const auto& e : lines->entries)
      if (e.db_id == d.db) {
        line.gen = e.generation;
        line.members.push_back(e.member);
      }
    d.line = std::move(line);
  }
  return std::nullopt;
}

bool cluster_survey::is_floe(pnn n) const {
  const auto i = surveys_.find(n);
  return i != surveys_.end() && (i->second.result.capabilities & capability::sorted_pull);
}

std::set<pnn> cluster_survey::floe_nodes() const {
  std::set<pnn> all;
  for (const auto& [n, s] : surveys_)
    if (is_floe(n)) all.insert(n);
  return all;
}

}  // namespace floe
