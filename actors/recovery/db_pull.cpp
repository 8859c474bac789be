/// The records of whole copies: they are taken in as they come, and merged while nodes still send. Recoveries that look
/// only at what has changed: difference.cpp.
#include "actors/events.hpp"
#include "actors/recovery/db_recoverer.hpp"
#include "protocol/rules/winner.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void db_recoverer::start_pull(const db_effect::ask& e) {
  stop_pull();
  parcels_.assign(1, {});
  winners_ = 0;
  builder_ = std::make_unique<rec_buffer_builder>(machine_.plan().db, config_.buffer_size);
  merge_ = std::make_unique<record_merge>([this](const record_copy& a, const record_copy& b) {
    return beats({.header = a.record.header, .holder = a.from, .took_part = took_part(a.from)},
                 {.header = b.record.header, .holder = b.from, .took_part = took_part(b.from)},
                 config_.leader);
  });
  env_.log.tell(
      event::recovery_pull{.db = machine_.db_name(), .gen = machine_.plan().gen, .from = e.nodes});
  for (pnn n : e.nodes)
    merge_->add_stream(
        n, config_.sorted_senders.contains(n) ? stream_order::ascending : stream_order::any);
  listen(e);
}

/// Each node sends to a srvid of its own.
void db_recoverer::listen(const db_effect::ask& e) {
  for (auto& [n, s] : sources_) node_.tell(unlisten_messages{s.srvid, number(s.srvid)});
  sources_.clear();
  for (pnn n : e.nodes) {
    const floe::srvid s{config_.srvid_base + ++srvids_used_};
    sources_[n] = {.srvid = s};
    node_.tell(listen_messages{s, number(s), [to = self(), run = e.run, n](parcel_ptr p) {
                                 to.tell(dbr_records{run, n, std::move(p)});
                               }});
  }
}

void db_recoverer::stop_pull() {
  for (auto& [n, s] : sources_) node_.tell(unlisten_messages{s.srvid, number(s.srvid)});
  sources_.clear();
  merge_.reset();
  difference_.reset();
  asked_.clear();
  whole_.clear();
}

void db_recoverer::on(dbr_records& m) {
  if (m.run != machine_.run() || (!merge_ && !difference_)) return;  // of an earlier try
  auto s = sources_.find(m.from);
  if (s == sources_.end() || std::get<req_message>(m.packet->content.body).srvid != s->second.srvid)
    return;
  auto buffer = wire::decode<rec_buffer>(std::get<req_message>(m.packet->content.body).data);
  if (!buffer || buffer->db_id() != machine_.plan().db) {
    s->second.error = buffer ? "records of another database" : buffer.error().text();
    return;
  }
  outcome_.bytes_in += m.packet->raw->size();
  if (difference_) {
    take_difference(m, *buffer, s->second);
    return show_progress_now_and_then();
  }
  std::vector<record_view> records;
  records.reserve(buffer->count());
  for (const rec_data& r : *buffer) {
    auto whole = r.as_record();
    if (!whole) {
      s->second.error = "a record without header";
      return;
    }
    records.push_back(*whole);
  }
  s->second.arrived += records.size();
  if (auto fed = merge_->feed(m.from, m.packet->raw, std::move(records)); !fed) {
    s->second.error = fed.error().text;
    return;
  }
  take_winners();
  show_progress_now_and_then();
}

void db_recoverer::take_winners() {
  merge_->run([this](const record_copy& winner) {
    emit_winner(winner);
    return true;
  });
}

void db_recoverer::emit_winner(const record_copy& w) {
  const auto kind = machine_.kind();
  if (!counts(kind, {.header = w.record.header, .holder = w.from, .took_part = took_part(w.from)}))
    return;
  const auto header =
      recovered_header(kind, w.record.header, !w.record.data.empty(), config_.leader);
  if (!header) return;
  if (!builder_->empty() &&
      builder_->size_with(w.record.key.size(), w.record.data.size()) > config_.buffer_size)
    parcels_.front().buffers.push_back(std::make_shared<const bytes>(builder_->take()));
  builder_->add(w.record.key, *header, w.record.data);
  ++winners_;
}

void db_recoverer::act(const db_effect::merge& e) {
  if (difference_) return merge_difference(e);
  if (!merge_) {  // no node took part in the last generation: there was nobody to pull from
    parcels_.clear();
    winners_ = 0;
    return feed(db_event::merged{.run = e.run, .records = 0});
  }
  take_winners();
  if (!merge_->finished())
    return feed(db_event::broke{.run = e.run, .detail = "the merge is not complete"});
  if (!builder_->empty())
    parcels_.front().buffers.push_back(std::make_shared<const bytes>(builder_->take()));
  outcome_.looked_at = machine_.pulled();
  env_.log.tell(event::recovery_merged{.db = machine_.db_name(),
                                       .gen = machine_.plan().gen,
                                       .pulled = machine_.pulled(),
                                       .records = winners_});
  stop_pull();
  feed(db_event::merged{.run = e.run, .records = winners_});
}

}  // namespace floe
