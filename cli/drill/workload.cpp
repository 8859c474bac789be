#include "cli/drill/workload.hpp"

#include <fmt/format.h>

#include "cli/drill/stage.hpp"

namespace floe::cli::drill {
namespace {
constexpr duration lock_patience = std::chrono::seconds(20);
}  // namespace

workload::workload(stage& s, workload_options o, std::size_t number)
    : stage_(s), options_(std::move(o)), busy_(options_.clients), prefix_(fmt::format("w{}-", number)) {
  for (std::size_t i = 0; i < options_.clients; ++i)
    clients_.push_back(std::make_unique<drill_client>(stage_, fmt::format("worker-{}-{}", number, i),
                                                      options_.nodes[i % options_.nodes.size()]));
  for (std::size_t i = 0; i < options_.clients; ++i) later(i);
}

bool workload::busy() const {
  for (const auto b : busy_)
    if (b) return true;
  return false;
}

void workload::later(std::size_t i) {
  busy_[i] = false;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(options_.pause).count();
  const auto wait = std::chrono::microseconds(us / 2 + static_cast<std::int64_t>(stage_.pick(static_cast<std::size_t>(us) + 1)));
  stage_.cluster().loop().after(wait, [this, i] {
    if (!stopped_) go(i);
  });
}

void workload::go(std::size_t i) {
  auto& c = *clients_[i];
  if (!c.connected()) return later(i);
  const auto db = options_.databases[stage_.pick(options_.databases.size())];
  const auto key = fmt::format("k{}", stage_.pick(options_.keys));
  const auto what = options_.mix[stage_.pick(options_.mix.size())];
  busy_[i] = true;
  if (what == "read") return c.read(db, key, [this, i](const operation&, std::size_t) { later(i); });
  c.lock(db, key, lock_patience, [this, i, db, key, what](const operation& o, std::size_t) {
    if (o.result != op_end::done) return later(i);
    const auto done = [this, i](const operation& w, std::size_t) { wrote(i, w); };
    auto& holder = *clients_[i];
    if (what == "move") return holder.unlock(db, key, done);
    if (what == "delete") return holder.erase(db, key, after_write::unlock, done);
    holder.store(db, key, fmt::format("{}{}", prefix_, ++last_value_), after_write::unlock, done);
  });
}

void workload::wrote(std::size_t i, const operation& o) {
  if (o.result == op_end::done && o.kind == op_kind::store) ++stage_.writes;
  later(i);
}

}  // namespace floe::cli::drill
