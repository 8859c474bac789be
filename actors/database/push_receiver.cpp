#include "actors/database/push_receiver.hpp"

#include "protocol/rules/migration.hpp"
#include "protocol/rules/parts.hpp"
#include "protocol/rules/placement.hpp"
#include "protocol/rules/read_only.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void push_receiver::start(floe::srvid where) {
  stop();
  now_ = push{.srvid = where};
  port_.node.tell(listen_messages{
      where, number(port_.config.id),
      [to = port_.self](parcel_ptr packet) { to.tell(db_push{std::move(packet)}); }});
}

void push_receiver::stop() {
  if (!now_) return;
  port_.node.tell(unlisten_messages{now_->srvid, number(port_.config.id)});
  now_.reset();
}

std::expected<std::uint32_t, std::string> push_receiver::count() const {
  if (!now_->error.empty()) return std::unexpected(now_->error);
  return now_->count;
}

void push_receiver::on(const db_push& m, purpose what, recovery_set& kept) {
  const auto& message = std::get<req_message>(m.packet->content.body);
  if (!now_ || message.srvid != now_->srvid) return;  // a late one of an earlier push
  auto buffer = wire::decode<rec_buffer>(message.data);
  // CTDB's tool leaves the id of the database that a backup was made of
  if (!buffer) {
    now_->error = buffer.error().text();
    return;
  }
  kept.keep(m.packet->raw);
  for (const rec_data& r : *buffer)
    if (!take(r, what, kept)) return;
}

bool push_receiver::take(const rec_data& r, purpose what, recovery_set& kept) {
  auto whole = r.as_record();
  if (what.difference && (r.reqid & pushed_written)) kept.somebody_wrote(r.key);
  if (what.difference && r.data.empty()) {
    kept.erase(r.key);
    ++now_->count;
    return true;
  }
  if (!whole) {
    now_->error = "a record without header";
    return false;
  }
  ++now_->count;
  whole->header = without_copies(whole->header);
  if (!what.equal) {
    const auto d =
        decide_store(port_.config.kind, port_.env.self, lmaster_of(whole->key, port_.view->map),
                     whole->header, !whole->data.empty());
    if (!d.keep) return true;
    whole->header = d.header;
  }
  kept.add(*whole);
  return true;
}

}  // namespace floe
