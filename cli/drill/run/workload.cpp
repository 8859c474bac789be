#include "cli/drill/run/workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/drill/run/drill_run.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe::cli::drill {
namespace {
constexpr duration lock_patience = std::chrono::seconds(20);
}  // namespace

workload::workload(drill_run& s, workload_options o, std::size_t number)
    : run_(s),
      options_(std::move(o)),
      busy_(options_.clients),
      prefix_(fmt::format("w{}-", number)) {
  for (std::size_t i = 0; i < options_.clients; ++i)
    clients_.push_back(std::make_unique<drill_client>(run_, fmt::format("worker-{}-{}", number, i),
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
  const auto us = in_us(options_.pause);
  const auto wait = std::chrono::microseconds(
      us / 2 + static_cast<std::int64_t>(run_.pick(static_cast<std::size_t>(us) + 1)));
  run_.cluster().loop().after(wait, [this, i] {
    if (!stopped_) go(i);
  });
}

void workload::go(std::size_t i) {
  auto& c = *clients_[i];
  if (!c.connected()) return later(i);
  const auto db = options_.databases[run_.pick(options_.databases.size())];
  const auto key = fmt::format("k{}", run_.pick(options_.keys));
  const bool transactional = options_.transactional.contains(db);
  const auto fits = [&](const std::string& deed) {
    return deed == "read" || (deed == "transact" || deed == "look") == transactional;
  };
  auto what = options_.mix[run_.pick(options_.mix.size())];
  while (!fits(what)) what = options_.mix[run_.pick(options_.mix.size())];
  if (what == "transact" || what == "look") return transact(i, db, what == "transact");
  busy_[i] = true;
  if (what == "read")
    return c.read(db, key, [this, i](const operation&, std::size_t) { later(i); });
  c.lock(db, key, lock_patience, [this, i, db, key, what](const operation& o, std::size_t) {
    if (o.result != op_end::done) return later(i);
    const auto done = [this, i](const operation& w, std::size_t) { wrote(i, w); };
    auto& holder = *clients_[i];
    if (what == "move") return holder.unlock(db, key, done);
    if (what == "delete") return holder.erase(db, key, after_write::unlock, done);
    holder.store(db, key, fmt::format("{}{}", prefix_, ++last_value_), after_write::unlock, done);
  });
}

/// Two to four records, all with the same new value.
void workload::transact(std::size_t i, const std::string& db, bool writes) {
  busy_[i] = true;
  std::set<std::string> keys;
  const auto wanted = std::min<std::size_t>(2 + run_.pick(3), options_.keys);
  while (keys.size() < wanted) keys.insert(fmt::format("k{}", run_.pick(options_.keys)));
  std::map<std::string, std::string> changes;
  std::vector<std::string> reads;
  if (writes) {
    const auto value = fmt::format("{}{}", prefix_, ++last_value_);
    for (const auto& k : keys) changes[k] = value;
  } else
    reads.assign(keys.begin(), keys.end());
  clients_[i]->transact(db, std::move(changes), std::move(reads), lock_patience,
                        [this, i](const transacted& t) {
                          if (t.result == op_end::done && !t.writes.empty()) ++run_.writes;
                          later(i);
                        });
}

void workload::wrote(std::size_t i, const operation& o) {
  if (o.result == op_end::done && o.kind == op_kind::store) ++run_.writes;
  later(i);
}

}  // namespace floe::cli::drill
