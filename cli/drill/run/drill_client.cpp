#include "cli/drill/run/drill_client.hpp"

#include <fmt/format.h>

#include <numeric>
#include <type_traits>

#include "cli/drill/checker/operation_name.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "protocol/record_status.hpp"

namespace floe::cli::drill {
namespace {

constexpr duration answer_patience = std::chrono::seconds(30);

/// Whether the node has said that it did nothing.
op_end end_of(const client_error& e) {
  switch (e.code) {
    case client_errc::refused:
    case client_errc::not_connected: return op_end::refused;
    case client_errc::timed_out:
      return e.status == record_status_timed_out ? op_end::refused : op_end::unknown;
    case client_errc::disconnected:
    case client_errc::bad_reply: break;
  }
  return op_end::unknown;
}

const char* text_of(op_end e) {
  switch (e) {
    case op_end::open: return "open";
    case op_end::done: return "done";
    case op_end::refused: return "refused";
    case op_end::unknown: return "unknown";
  }
  return "?";
}

}  // namespace

drill_client::drill_client(drill_run& s, std::string name, std::size_t node)
    : run_(s),
      name_(std::move(name)),
      node_(node),
      client_(std::make_unique<client>(s.cluster().loop(), s.cluster().client_network())),
      records_(s.cluster().records(node, *client_)) {
  // in simulation there are no processes; a real node knows us by our own, and others ask it about us
  const auto process =
      s.cluster().loop().is_simulated() ? std::optional<std::int32_t>(0) : std::nullopt;
  // three of four lock in shared memory, so that those that do not are among them
  const bool tables =
      std::accumulate(name_.begin(), name_.end(), 0U,
                      [](unsigned n, char c) { return n + static_cast<unsigned char>(c); }) %
          4 !=
      0;
  client_->connect({.socket = s.cluster().socket(node),
                    .reconnect = true,
                    .process = process,
                    .record_tables = tables},
                   {.connected = [this](pnn) { connected_ = run_.now(); },
                    .disconnected =
                        [this](const client_error&) {
                          records_->disconnected();
                          while (!held_.empty()) end_holding(held_.begin()->first);
                        }});
}

void drill_client::leave() {
  if (!client_) return;
  while (!held_.empty()) end_holding(held_.begin()->first);
  records_.reset();
  client_.reset();
  for (const auto& [op, open] : open_) {
    auto& o = run_.past.ops[op];
    o.end = run_.now();
    o.result = op_end::unknown;
    o.error = "the client has ended";
  }
  open_.clear();
  leave_transactions();
}

std::size_t drill_client::begin(op_kind kind, const std::string& db, const std::string& key) {
  run_.past.touch(db, key);
  const auto op = run_.past.begin({.kind = kind,
                                   .client = name_,
                                   .node = node_,
                                   .db = db,
                                   .key = key,
                                   .connected = connected_,
                                   .begin = run_.now()});
  open_[op] = true;
  return op;
}

template <class T>
void drill_client::end(std::size_t op, const result<T>& r, const ended& tell) {
  auto& o = run_.past.ops[op];
  open_.erase(op);
  o.end = run_.now();
  if (!r) {
    o.result = end_of(r.error());
    o.error = r.error().describe();
  } else {
    o.result = op_end::done;
    if constexpr (!std::is_void_v<T>) {
      o.value = r->data;
      o.rsn = number(r->header.rsn);
    }
  }
  if (run_.tracing())
    run_.note(name_, fmt::format("{} {} on node {}: {}{}{}", op_name(o.kind), o.db + "/" + o.key,
                                 node_, text_of(o.result),
                                 o.value.empty() ? "" : " \"" + o.value.substr(0, 40) + "\"",
                                 o.error.empty() ? "" : " (" + o.error + ")"));
  if (o.result != op_end::done) ++run_.failures;
  if (tell) {
    const auto copy = o;  // the handler may add operations
    tell(copy, op);
  }
}

void drill_client::refuse(std::size_t op, const ended& tell, std::string why) {
  end<void>(op,
            std::unexpected(client_error{client_errc::refused, record_status_not_held,
                                         std::move(why), pnn::current}),
            tell);
}

void drill_client::end_holding(const std::pair<std::string, std::string>& record) {
  const auto i = held_.find(record);
  if (i == held_.end()) return;
  run_.past.holdings[i->second.operation].to = run_.now();
  held_.erase(i);
}

bool drill_client::waits_for(const std::string& db, const std::string& key) const {
  for (const auto& [op, open] : open_) {
    const auto& o = run_.past.ops[op];
    if (o.kind == op_kind::lock && o.db == db && o.key == key) return true;
  }
  return false;
}

void drill_client::lock(const std::string& db, const std::string& key, duration patience,
                        ended tell) {
  const auto op = begin(op_kind::lock, db, key);
  records_->lock(db, key, patience,
                 [this, op, db, key, tell = std::move(tell)](const result<locked_record>& r) {
                   if (r) {
                     held_[{db, key}] = {r->lock_id, op};
                     run_.past.holdings[op] = {op, run_.now(), never};
                   }
                   end(op, r, tell);
                 });
}

void drill_client::read(const std::string& db, const std::string& key, ended tell,
                        bool final_look) {
  const auto op = begin(op_kind::read, db, key);
  run_.past.ops[op].final_look = final_look;
  records_->read(db, key, read_from::owner, answer_patience,
                 [this, op, tell = std::move(tell)](const result<read_record_answer>& r) {
                   end(op, r, tell);
                 });
}

void drill_client::store(const std::string& db, const std::string& key, const std::string& value,
                         after_write then, ended tell) {
  const auto op = begin(op_kind::store, db, key);
  run_.past.ops[op].value = value;
  const auto held = held_.find({db, key});
  if (held == held_.end()) return refuse(op, tell, "the lock is not held");
  run_.past.ops[op].under = held->second.operation;
  const auto id = held->second.id;
  if (then == after_write::unlock) end_holding({db, key});
  records_->store(
      id, value, then, answer_patience,
      [this, op, id, then, tell = std::move(tell)](const result<void>& r) {
        // a store that the node could not make does not give the lock back
        if (!r && r.error().status == record_status_storage && then == after_write::unlock)
          records_->unlock(id, answer_patience, [](const result<void>&) {});
        end(op, r, tell);
      });
}

void drill_client::erase(const std::string& db, const std::string& key, after_write then,
                         ended tell) {
  const auto op = begin(op_kind::erase, db, key);
  const auto held = held_.find({db, key});
  if (held == held_.end()) return refuse(op, tell, "the lock is not held");
  run_.past.ops[op].under = held->second.operation;
  const auto id = held->second.id;
  if (then == after_write::unlock) end_holding({db, key});
  records_->erase(
      id, then, answer_patience,
      [this, op, id, then, tell = std::move(tell)](const result<void>& r) {
        if (!r && r.error().status == record_status_storage && then == after_write::unlock)
          records_->unlock(id, answer_patience, [](const result<void>&) {});
        end(op, r, tell);
      });
}

void drill_client::peek(const std::string& db, const std::string& key,
                        when_done<read_record_answer> tell) {
  records_->read(db, key, read_from::this_node, answer_patience, std::move(tell));
}

void drill_client::unlock(const std::string& db, const std::string& key, ended tell) {
  const auto op = begin(op_kind::unlock, db, key);
  const auto held = held_.find({db, key});
  if (held == held_.end()) return refuse(op, tell, "the lock is not held");
  run_.past.ops[op].under = held->second.operation;
  const auto id = held->second.id;
  end_holding({db, key});
  records_->unlock(id, answer_patience,
                   [this, op, tell = std::move(tell)](const result<void>& r) { end(op, r, tell); });
}

}  // namespace floe::cli::drill
