/// Each request of a client is answered, and once.
#include <fmt/format.h>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/checker/operation_name.hpp"

namespace floe::cli::drill {

checker answered_once_checker() {
  return {"one answer each", "every request is answered once: with the record, or with an error",
          [](const history& h, const observations& s) {
            std::vector<finding> all;
            for (const auto& o : h.ops)
              if (o.result == op_end::open)
                all.push_back(
                    {true, fmt::format("{} of {} by {} on node {}, asked at {}, was never answered",
                                       op_name(o.kind), record_text(o), o.client, o.node,
                                       at_text(o.begin))});
            for (const auto& t : h.transactions)
              if (t.result == op_end::open)
                all.push_back(
                    {true,
                     fmt::format("a transaction of {} on {}, node {}, begun at {}, has never ended",
                                 t.client, t.db, t.node, at_text(t.begin))});
            for (const auto& twice : s.answered_twice)
              all.push_back({true, "answered twice: " + twice});
            return all;
          }};
}

}  // namespace floe::cli::drill
