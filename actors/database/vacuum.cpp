/// What other nodes' vacuuming asks for. This node forgets deleted records in recoveries only; it
/// must not keep others from doing it earlier, nor bring back what they have forgotten.
#include "protocol/rules/vacuum.hpp"
#include "actors/database/database.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// The answer lists what could not be deleted.
void database::try_delete_records(db_control& m) {
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail("only volatile databases are vacuumed");
  if (!thawed() || !map_applies(gen_, view_->gen) || view_->mode != recovery_mode::normal)
    return m.answer.fail("not now: a recovery is going on");
  auto offered = wire::decode<rec_buffer>(std::get<req_control>(m.packet->content.body).data);
  if (!offered) return m.answer.fail("bad records: " + offered.error().text());
  rec_buffer_builder kept(config_.id);
  for (const rec_data& raw : *offered) {
    if (raw.key.empty() || raw.data.size() < record_header::wire_size)
      return m.answer.fail("a record without header");
    std::optional<record_header> here;
    if (auto found = store_->visit(raw.key, [&](const record_view& r) { here = r.header; });
        !found) {
      storage_failed("read", found.error());
      return m.answer.fail("cannot read");
    }
    const auto outcome =
        decide_try_delete(env_.self, lmaster(raw.key), here, load_header(raw.data.data()),
                          locks_.find(raw.key) != nullptr);
    if (outcome == try_delete_outcome::gone) continue;
    if (outcome == try_delete_outcome::drop) {
      if (auto erased = store_->erase(raw.key))
        continue;
      else
        storage_failed("erase", erased.error());
    }
    kept.add_plain(raw.key, raw.data, raw.reqid);
  }
  if (store_->dirty()) plan_flush();
  m.answer.good(bytes(kept.encoded()));
}

}  // namespace floe
