/// Nobody is granted a record of a database that is frozen or under recovery on his node.
#include <fmt/format.h>

#include <map>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker frozen_reads_checker() {
  return {"closed while frozen", "no lock is granted and no record is read in a frozen database",
          [](const history& h, const observations& s) {
            std::vector<finding> all;
            std::map<std::pair<std::size_t, std::string>, std::vector<frozen_span>> spans;
            for (const auto& f : s.frozen) spans[{f.node, f.db}].push_back(f);
            // a stopped or banned node serves nobody, frozen or not
            std::map<std::size_t, std::vector<frozen_span>> inactive;
            for (const auto& f : s.inactive) inactive[f.node].push_back(f);
            for (const auto& o : h.ops) {
              const bool sees = o.kind == op_kind::lock || o.kind == op_kind::read;
              if (!sees || o.result != op_end::done) continue;
              for (const auto& f : inactive[o.node])
                if (o.begin > f.from && o.end < f.to)
                  all.push_back({true, fmt::format("{} was given to {} on node {} at {}; the node "
                                                   "was stopped or banned from {} to {}",
                                                   record_text(o), o.client, o.node, at_text(o.end),
                                                   at_text(f.from), at_text(f.to))});
              for (const auto& f : spans[{o.node, o.db}])
                // asked and answered within the span: nothing can have been under way
                if (o.begin > f.from && o.end < f.to)
                  all.push_back({true, fmt::format("{} was given to {} on node {} at {}; the "
                                                   "database was frozen there from {} to {}",
                                                   record_text(o), o.client, o.node, at_text(o.end),
                                                   at_text(f.from), at_text(f.to))});
            }
            return all;
          }};
}

}  // namespace floe::cli::drill
