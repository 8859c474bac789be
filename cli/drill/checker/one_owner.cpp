/// At rest every record has one owner, and all who know it to be elsewhere agree that somebody is.
#include <fmt/format.h>

#include <map>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker one_owner_checker() {
  return {"one owner", "at rest every record has one dmaster, and no other copy has a higher rsn",
          [](const history&, const observations& s) {
            std::vector<finding> all;
            std::map<std::pair<std::string, std::string>, std::vector<resting_copy>> records;
            for (const auto& c : s.resting) records[{c.db, c.key}].push_back(c);
            for (const auto& [record, copies] : records) {
              std::vector<const resting_copy*> owners;
              for (const auto& c : copies)
                if (c.dmaster == c.node) owners.push_back(&c);
              const auto name = record.first + "/" + record.second;
              if (owners.size() > 1)
                all.push_back({true, fmt::format("{}: nodes {} and {} both think that they own it",
                                                 name, owners[0]->node, owners[1]->node)});
              if (owners.empty()) all.push_back({true, fmt::format("{}: nobody owns it", name)});
              if (owners.size() != 1) continue;
              for (const auto& c : copies)
                if (c.rsn > owners[0]->rsn)
                  all.push_back(
                      {true,
                       fmt::format(
                           "{}: the copy of node {} has rsn {}, that of its owner, node {}, has {}",
                           name, c.node, c.rsn, owners[0]->node, owners[0]->rsn)});
            }
            return all;
          }};
}

}  // namespace floe::cli::drill
