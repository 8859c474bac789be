#include "cli/drill/checker/history.hpp"

#include <charconv>

namespace floe::cli::drill {
namespace {

/// "s17" is 17.
std::optional<std::size_t> seed_number(std::string_view key) {
  std::size_t n = 0;
  if (!key.starts_with('s') || key.size() < 2) return std::nullopt;
  const auto r = std::from_chars(key.data() + 1, key.data() + key.size(), n);
  if (r.ec != std::errc() || r.ptr != key.data() + key.size()) return std::nullopt;
  return n;
}

}  // namespace

std::string seeded_content::value(std::size_t record) const {
  auto v = "s" + std::to_string(round) + "-" + std::to_string(record);
  if (v.size() < size) v.resize(size, '.');
  return v;
}

/// Record by record it would be the history of a million writes.
void history::touch(const std::string& db, const std::string& key) {
  if (seeds.empty()) return;
  const auto i = seed_number(key);
  if (!i) return;
  for (auto& s : seeds) {
    if (s.db != db || *i >= s.records || s.at == never || !s.touched.insert(*i).second) continue;
    begin({.kind = op_kind::store,
           .client = "restore",
           .node = s.node,
           .db = db,
           .key = key,
           .value = s.value(*i),
           .under = static_cast<std::size_t>(-1),
           .begin = s.at,
           .end = s.sure ? s.at : never,
           .result = s.sure ? op_end::done : op_end::unknown,
           .everywhere = true});
  }
}

}  // namespace floe::cli::drill
