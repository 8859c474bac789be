/// Life, dispatch and views of a database actor.
#include "actors/database/database.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "actors/database/kept_past.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "actors/runtime/turn_watch.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

namespace {

/// Controls that read or replace the content as a whole; all others find the database frozen and wait, or are refused.
bool is_step_on_store(control c) {
  switch (c) {
    case control::db_freeze:
    case control::db_thaw:
    case control::db_transaction_start:
    case control::db_recovery_begin:
    case control::db_changes:
    case control::db_copies:
    case control::db_step:
    case control::db_digest:
    case control::db_transaction_commit:
    case control::db_transaction_cancel:
    case control::wipe_database:
    case control::db_pull:
    case control::db_push_start:
    case control::db_push_confirm:
    case control::get_db_seqnum:
    case control::db_set_healthy:
    case control::db_damaged: return true;
    default: return false;
  }
}

}  // namespace

database::database(node_environment env, database_config config, view_ptr view,
                   address<node_message> node)
    : env_(env),
      config_(std::move(config)),
      view_(std::move(view)),
      node_(std::move(node)),
      state_since_(env.loop.now()),
      cut_offs_(config_.pulse->cut_offs()),
      gen_(view_->mode == recovery_mode::normal ? view_->gen : generation::invalid) {}

database::~database() = default;

void database::start() {
  auto opened = store::open({.kind = config_.kind,
                             .file = config_.file,
                             .create_empty = config_.kind != db_kind::persistent,
                             .faults = env_.disk});
  if (!opened) {
    env_.log.tell(event::database_open_failed{
        .db = config_.name, .file = config_.file, .why = opened.error().text});
    node_.tell(database_opened{config_.id, opened.error().text, {}});
    end();
    return;
  }
  store_ = std::make_unique<store>(std::move(*opened));
  damage_.read(config_.damage);
  past_ = config_.kind == db_kind::volatile_db ? gone_on({}, birth_under(gen_), true)
                                               : read_past(*store_);
  // until the first recovery the nodes of this map have the empty content in common
  if (config_.kind == db_kind::volatile_db && !mutated(mutant::birth_forgotten))
    store_->changes().begin(birth_under(gen_));
  witness(&database_witness::opened, std::string_view(config_.name));
  node_.tell(database_opened{config_.id, {}, damage_.text()});
  if (inactive()) become_inactive();
  if (leaving()) leave();
}

bool database::leaving() const { return view_->capabilities & capability::leaving; }

bool database::is_member() const { return view_->is_member(view_->self); }

/// What has to be carried out on the store itself while nobody else works on it.
template <class Message>
constexpr bool database::needs_store() {
  constexpr bool of_clients =
      std::is_same_v<Message, db_client_call> || std::is_same_v<Message, db_control> ||
      std::is_same_v<Message, db_lock_timeout> || std::is_same_v<Message, db_client_gone>;
  constexpr bool of_peers = std::is_same_v<Message, db_peer_packet>;
  constexpr bool own =
      std::is_same_v<Message, db_traverse> || std::is_same_v<Message, db_next_slice> ||
      std::is_same_v<Message, db_tick> || std::is_same_v<Message, db_table_rung> ||
      std::is_same_v<Message, db_table_tick> || std::is_same_v<Message, db_table_recall> ||
      std::is_same_v<Message, db_look_for_room>;
  return of_clients || of_peers || own;
}

void database::receive(database_message& m) {
  const work_meter::turn measured(meter_);
  config_.pulse->beat(env_.loop.now());
  if (cut_offs_ != config_.pulse->cut_offs() && store_use_ == store_use::here) freeze_by_itself();
  std::visit(
      [&]<class Message>(Message& x) {
        if (needs_store<Message>() && store_use_ == store_use::updating)
          held_back_.emplace_back(std::move(x));
        else
          on(x);
      },
      m);
}

void database::on(db_control& m) {
  turn_watch::here().at("control", number(m.opcode),
                        [](std::uint32_t n) { return control_name(control{n}); });
  if (store_use_ == store_use::recovering && is_step_on_store(m.opcode)) {
    // the next recovery begins while a slow disk has still to commit what the last one brought
    if (m.opcode == control::db_freeze && !mutated(mutant::busy_store_refuses)) {
      held_back_.emplace_back(std::move(m));
      return;
    }
    return m.answer.fail("database is busy with the step before");
  }
  switch (m.opcode) {
    case control::record_lock: return record_lock(m);
    case control::record_read: return record_read(m);
    case control::record_store: return record_store(m);
    case control::record_delete: return record_delete(m);
    case control::record_unlock: return record_unlock(m);
    case control::record_scan: return record_scan(m);
    case control::record_table: return record_table_control(m);
    case control::db_freeze: return freeze(m);
    case control::db_thaw: return thaw(m);
    case control::db_transaction_start: return begin(m);
    case control::db_recovery_begin: return recovery_begin(m);
    case control::db_changes: return send_changes(m);
    case control::db_copies: return send_copies(m);
    case control::db_step: return tell_step(m);
    case control::db_digest: return digest(m);
    case control::db_transaction_commit: return commit(m);
    case control::db_transaction_cancel: return cancel(m);
    case control::wipe_database: return wipe(m);
    case control::db_pull: return pull(m);
    case control::db_push_start: return push_start(m);
    case control::db_push_confirm: return push_confirm(m);
    case control::get_db_seqnum: return get_seqnum(m);
    case control::db_set_healthy: damage_.declare({}); return m.answer.good();
    case control::db_damaged: {
      const auto& about = m.request<control::db_damaged>();
      if (std::get<req_control>(m.packet->content.body).flags & brings_past)
        return take_past(m.answer, about.detail);
      damage_.declare(about.detail.empty() ? "damaged" : std::string(about.detail));
      return m.answer.good();
    }
    case control::db_fill: return give_part(m);
    case control::get_db_statistics: return statistics(m);
    case control::try_delete_records: return vacuum_.try_delete_records(m);
    case control::schedule_for_deletion: return vacuum_.schedule_for_deletion(m);
    case control::vacuum_fetch: return vacuum_.fetch(m);
    case control::db_vacuum: return vacuum_.run_on_request(m);
    case control::enable_seqnum: return enable_seqnum(m);
    case control::update_seqnum: return update_seqnum(m);
    case control::trans3_commit: return commit_.begin(m);
    case control::update_record: return update_record(m);
    case control::push_record: return push_record(m);
    case control::db_detach: return close(m);
    case control::set_db_readonly: copies_.allow(); return m.answer.good();
    case control::set_db_sticky: return make_sticky(m);
    default: return m.answer.fail("not a control of a database");
  }
}

/// Of the whole content, for a comparison with what the other nodes have.
void database::digest(db_control& m) {
  // a slow leader asks for its own recovery; of a later one the content is another, and nobody's fault
  if (const auto of = recovery_of(m); of && *of != gen_)
    return m.answer.fail("another recovery has been here since");
  sums_.sum([answer = m.answer](const db_digest* sum, const std::string& why) {
    if (!sum) return answer.fail(why);
    answer.good(wire::encode(*sum));
  });
}

void database::enable_seqnum(db_control& m) {
  m.answer.good();
  changes_.tell_others();
}

void database::update_seqnum(db_control& m) {
  changes_.count_of_another();
  table_.count_change();
  m.answer.good();
}

void database::on(db_reset_counters&) {
  count_ = {};
  hot_.clear();
  meter_.reset();
  copies_.reset_counters();
  vacuum_.reset_counters();
  table_.reset_counters();
}

void database::on(db_seqnum_time&) {
  changes_.wait_for_interval();
  table_.collect();  // stores in the record table count, too
  changes_.tell_if_changed();
}

/// A record has changed; clients that cache by the record table see it there.
void database::count_change() {
  changes_.count();
  table_.count_change();
}

/// SET_DB_STICKY: see protocol/rules/stay.hpp.
void database::make_sticky(db_control& m) {
  auto stay = stays_.settings();
  stay.sticky = true;
  stays_.set(stay);
  m.answer.good();
}

void database::on(db_settings& m) {
  settings_ = m;
  auto stay = m.stay;
  stay.sticky = stays_.settings().sticky;
  stays_.set(stay);
  vacuum_.set(m.vacuum);
}

void database::on(db_view& m) {
  const auto out = node_flag::banned | node_flag::stopped;
  const bool was_out = view_->own_flags() & out;
  const auto before = std::exchange(view_, std::move(m.view));
  const auto mode = before->mode;
  ask_again_if_one_came(*before);
  const bool stays_open = mode == recovery_mode::active && mutated(mutant::inactive_not_frozen);
  if (!was_out && (view_->own_flags() & out) && !stays_open) become_inactive();
  if (!(before->capabilities & capability::leaving) && leaving() && !stays_open) leave();
  if (before->gen != view_->gen) table_.close_that_of_before();
  if (mode == view_->mode) return;
  thaws_.answer();
  commit_.mode_changed();
  if (view_->mode == recovery_mode::active) serve_until_thaw();
}

void database::on(db_stop& m) {
  if (m.remove && store_use_ != store_use::here) {
    held_back_.emplace_back(m);
    return;
  }
  if (m.remove) return close_for_good();
  // clients have it in their memory, and would go on in that of a node which has ended, until they hear that it has
  table_.close_for_good();
  if (store_ && store_use_ == store_use::here) {
    table_.collect();
    (void)store_->flush();
  }
  pushes_.stop();
  end();
}

/// Detached: whoever waits is told, the file is closed and deleted.
void database::close_for_good() {
  pushes_.stop();
  table_.close_for_good();
  for (const bytes& key : locks_.keys())
    for (const auto& w : locks_.all().at(key).waiters) {
      env_.loop.cancel(w.deadline);
      if (w.use == record_use::call) end_call(w.client, w.packet->content.header, -1);
    }
  env_.count.locks_held -= locks_.holders();
  store_.reset();
  witness(&database_witness::left);
  std::error_code ignored;
  std::filesystem::remove(config_.file, ignored);
  std::filesystem::remove(config_.file + "-lock", ignored);
  node_.tell(database_closed{config_.id});
  end();
}

void database::changed(bool recovered) {
  if (recovered) {
    count_change();
    vacuum_.recovered();
  }
  node_.tell(database_changed{config_.id, freeze_.state, gen_, recovered});
}

void database::send_packet(pnn to, reqid id, pnn source, const packet_body& body, task written) {
  auto f = make_frame({.gen = gen_, .dest = to, .src = source, .id = id}, body);
  if (to != env_.self) meter_.sent(f->size());
  if (to == env_.self) {
    // a packet to ourselves takes the same way as one of a peer
    auto content = decode_packet(*f);
    node_.tell(
        peer_packet{env_.self, std::make_shared<const parcel>(parcel{f, std::move(*content)})});
    return;
  }
  if (const auto* p = view_->find(to)) p->link.tell(link_send{std::move(f), std::move(written)});
}

}  // namespace floe
