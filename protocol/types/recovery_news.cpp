#include "protocol/types/recovery_news.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

std::string_view name(database_phase p) {
  switch (p) {
    case database_phase::serving: return "serving";
    case database_phase::freezing: return "freezing";
    case database_phase::frozen: return "frozen";
    case database_phase::exchanging: return "exchanging";
  }
  return "unknown";
}

constexpr auto layout(wire::of<database_news>) {
  return wire::record("database_news", wire::field("db_id", &database_news::db_id),
                      wire::field("phase", &database_news::phase),
                      wire::field("generation", &database_news::generation));
}

constexpr auto layout(wire::of<recovery_news>) {
  return wire::record("recovery_news", wire::field("whole", &recovery_news::whole),
                      wire::field("active", &recovery_news::active),
                      wire::counted("num", "databases", &recovery_news::databases));
}

template struct wire::codec<database_news>;
template struct wire::codec<recovery_news>;

}  // namespace floe
