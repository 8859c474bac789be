#include "actors/recovery/recovery_tally.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace floe {

void recovery_tally::recovered(db_id id, db_outcome o) {
  ++(o.way == db_way::unchanged    ? counts_.unchanged
     : o.way == db_way::difference ? counts_.by_difference
                                   : counts_.whole);
  counts_.kept += o.kept;
  counts_.lost += o.lost;
  outcomes_[id] = std::move(o);
}

void recovery_tally::differed(std::string_view db, const evidence& f) {
  differed_ += fmt::format("{} on node {}, {}\n", db, number(f.node), f.detail);
  ++counts_.differed;
}

std::string recovery_tally::json(generation gen, const std::string& why, std::int64_t started_us,
                                 std::int64_t ms) const {
  nlohmann::json j{{"generation", number(gen)},
                   {"why", why},
                   {"started_us", started_us},
                   {"ms", ms},
                   {"databases", nlohmann::json::array()}};
  for (const auto& [id, o] : outcomes_)
    j["databases"].push_back({{"name", o.name},
                              {"way", std::string(name(o.way))},
                              {"why", o.why},
                              {"base", number(o.base)},
                              {"looked_at", o.looked_at},
                              {"records", o.records},
                              {"bytes_in", o.bytes_in},
                              {"bytes_out", o.bytes_out},
                              {"kept", o.kept},
                              {"lost", o.lost},
                              {"ms", o.ms}});
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace floe
