#include "actors/client/client_tables.hpp"

#include "actors/client/client_tables_state.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {
namespace {

constexpr duration table_patience = std::chrono::seconds(10);

}  // namespace

client_tables::client_tables() : state_(std::make_shared<state>()) {}
client_tables::~client_tables() = default;

bool client_tables::usable(client& c, db_id db) {
  auto& d = state_->databases[db];
  if (d.now == having::unasked) state_->ask_for_table(c, db);
  return d.now == having::here;
}

void client_tables::state::ask_for_table(client& c, db_id db) {
  databases[db].now = having::asking;
  const auto take = [weak = weak_from_this(),
                     db](const result<client_answer<record_table_reply>>& a) {
    const auto s = weak.lock();
    if (!s) return;
    auto& d = s->databases[db];
    if (a) return s->map_table(d, db, a->value.client);
    // a node that has not answered may do so later, with a table that nobody expects any more
    d.now = a.error().code == client_errc::disconnected ? having::unasked : having::none;
  };
  request_options o;
  o.late = [weak = weak_from_this()](const result<client_reply>& r) {
    if (const auto s = weak.lock(); s && r && !s->came.empty()) s->came.pop_front();
  };
  c.control<control::record_table>(pnn::current, {.db_id = db}, table_patience, take, std::move(o));
}

void client_tables::state::map_table(known_database& d, db_id db, std::uint32_t number) {
  d.now = having::none;
  if (came.empty()) return;
  const auto along = std::move(came.front());
  came.pop_front();
  auto t = std::make_shared<mapped_table>();
  t->number = number;
  if (along->in_process) {
    t->simulated = along->in_process;
    t->memory = t->simulated->memory;
  } else {
    if (along->fds.size() != 2) return;
    auto memory = table_memory::map(::dup(along->fds[0]));
    if (!memory) return;
    t->memory = std::move(*memory);
    t->wake_fd = ::dup(along->fds[1]);
  }
  if (t->memory->head().database != floe::number(db)) return;
  d.table = std::move(t);
  d.now = having::here;
}

void client_tables::arrived(descriptors_ptr d) { state_->came.push_back(std::move(d)); }

void client_tables::disconnected(const client_error& why) {
  auto& s = *state_;
  s.came.clear();
  s.held.clear();
  s.databases.clear();
  for (auto& [operation, lost] : std::exchange(s.under_way, {})) lost(why);
}

void client_tables::forget() { state_->under_way.clear(); }

std::vector<db_id> client_tables::mapped() const {
  std::vector<db_id> all;
  for (const auto& [db, d] : state_->databases)
    if (d.now == having::here) all.push_back(db);
  return all;
}

std::optional<std::uint64_t> client_tables::sequence_number(db_id db) const {
  const auto d = state_->databases.find(db);
  if (d == state_->databases.end() || d->second.now != having::here) return std::nullopt;
  return d->second.table->memory->stores();
}

}  // namespace floe
