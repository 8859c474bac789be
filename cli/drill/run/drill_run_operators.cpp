/// What operators do to a cluster of a drill: databases are emptied, replaced and detached, nodes are
/// added and deleted. What it means for the checks is written into the history.
#include <fmt/format.h>

#include <algorithm>

#include "actors/client/replace.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t records_in_a_buffer = 2000;

/// As a backup's: records that have been here, and belong to the node that restores them.
record_feed feed_of(const seeded_content& s, pnn owner) {
  return [s, owner,
          next = std::size_t{0}]() mutable -> std::expected<std::optional<bytes>, std::string> {
    if (next == s.records) return std::nullopt;
    rec_buffer_builder b(db_id_of(s.db));
    for (std::size_t i = 0; i < records_in_a_buffer && next < s.records; ++i, ++next)
      b.add(fmt::format("s{}", next),
            {.rsn = rsn{1}, .dmaster = owner, .flags = record_flag::migrated_with_data},
            s.value(next));
    return b.take();
  };
}

/// The whole content is gone, at all nodes.
operation wipe_of(const std::string& db, std::size_t node, time_us at) {
  return {.kind = op_kind::wipe,
          .client = "drill",
          .node = node,
          .db = db,
          .begin = at,
          .everywhere = true};
}

}  // namespace

std::expected<std::size_t, std::string> drill_run::some_node() {
  for (std::size_t n = 0; n < reports_.size(); ++n)
    if (cluster_->responsive(n) && !stopped_nodes.contains(n) && !banned_nodes.contains(n) &&
        !deleted_nodes.contains(n)) {
      if (!cluster_->run([&] { return observer(n).connected(); }, 10s))
        return std::unexpected(fmt::format("node {} takes no clients", n));
      return n;
    }
  return std::unexpected("no node runs");
}

/// Wipes, and puts new content there if there is some.
outcome drill_run::replace(const std::string& db, std::optional<seeded_content> content) {
  const auto n = some_node();
  if (!n) return failed_because(n.error());
  const auto op = past.begin(wipe_of(db, *n, now()));
  replace_plan plan{.db = db_id_of(db), .name = db, .kind = db_kind::volatile_db};
  if (content) plan.feed = feed_of(*content, observer(*n).raw().self());
  std::optional<result<replaced_content>> got;
  replace_content(observer(*n).raw(), std::move(plan),
                  [&](const result<replaced_content>& r) { got = r; });
  cluster_->run([&] { return got.has_value(); }, 120s);
  auto& o = past.ops[op];
  o.end = now();
  o.result = got && *got ? op_end::done : op_end::unknown;
  const bool sure = o.result == op_end::done;
  if (content) {
    if (sure) o.end = now() - 1;  // the content comes after it
    content->node = *n;
    content->at = sure ? now() : o.begin;
    content->sure = sure;
    past.seeds.push_back(std::move(*content));
  }
  if (!got) return failed_because("it has not ended within 120 s");
  if (!*got) return failed_because(got->error().describe());
  return {};
}

outcome drill_run::wipe(const std::string& db) { return replace(db, std::nullopt); }

outcome drill_run::restore(const std::string& db, std::size_t records, std::size_t size) {
  return replace(
      db,
      seeded_content{.db = db, .records = records, .size = size, .round = past.seeds.size() + 1});
}

/// As an operator does it: clients may not attach meanwhile.
outcome drill_run::detach(const std::string& db) {
  const auto may_attach = [&](std::uint32_t yes) -> outcome {
    for (std::size_t n = 0; n < reports_.size(); ++n)
      if (cluster_->responsive(n))
        if (auto set = order(n, control::set_tunable,
                             encode_request<control::set_tunable>(
                                 {.value = yes, .name = "AllowClientDBAttach"}));
            !set)
          return set;
    return {};
  };
  if (auto set = may_attach(0); !set) return set;
  const auto n = some_node();
  if (!n) return failed_because(n.error());
  const auto op = past.begin(wipe_of(db, *n, now()));
  auto gone = order(*n, control::db_detach, encode_request<control::db_detach>(db_id_of(db)));
  past.ops[op].end = now();
  past.ops[op].result = gone ? op_end::done : op_end::unknown;
  if (gone) dropped.insert(db);
  if (auto set = may_attach(1); !set) return set;
  return gone;
}

outcome drill_run::add_node() {
  const auto n = cluster_->add_node();
  reports_.resize(cluster_->size());
  observe(n);
  it = n;
  note("drill", fmt::format("node {} is in every nodes file", n));
  return {};
}

outcome drill_run::delete_node(std::size_t n) {
  cluster_->delete_node(n);
  deleted_nodes.insert(n);
  note("drill", fmt::format("node {} is commented out in every nodes file", n));
  return {};
}

outcome drill_run::reload_nodes() {
  for (const auto n : deleted_nodes)
    if (cluster_->alive(n))
      return failed_because(
          fmt::format("node {} is to be deleted and still runs: shut it down first", n));
  for (std::size_t n = 0; n < reports_.size(); ++n)
    if (cluster_->responsive(n))
      if (auto done = order(n, control::reload_nodes_file, {}); !done) return done;
  return {};
}

std::expected<std::string, std::string> drill_run::value_of(std::size_t n, const std::string& db,
                                                            const std::string& key) {
  if (!cluster_->responsive(n)) return std::unexpected(fmt::format("node {} does not run", n));
  if (!observer(n).connected()) return std::unexpected(fmt::format("node {} takes no clients", n));
  const auto got = std::make_shared<std::optional<operation>>();
  observer(n).read(db, key, [got](const operation& o, std::size_t) { *got = o; });
  cluster_->run([&] { return got->has_value(); }, 31s);
  if (!*got) return std::unexpected(fmt::format("node {} has not answered", n));
  if ((*got)->result != op_end::done) return std::unexpected((*got)->error);
  return (*got)->value;
}

}  // namespace floe::cli::drill
