#include "actors/client/blocking_client.hpp"

#include <algorithm>
#include <optional>

#include "actors/net/network.hpp"

namespace floe {

struct blocking_client::impl {
  std::unique_ptr<event_loop> loop = event_loop::real();
  std::unique_ptr<network> net = socket_network(*loop);
  client c{*loop, *net};
  std::function<void()> wait_begins, wait_ends;
  std::vector<pnn> awaited;
};

blocking_client::blocking_client(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
blocking_client::blocking_client(blocking_client&&) noexcept = default;
blocking_client::~blocking_client() = default;

client& blocking_client::async() { return impl_->c; }
event_loop& blocking_client::loop() { return *impl_->loop; }
pnn blocking_client::self() { return impl_->c.self(); }

void blocking_client::on_waits(std::function<void()> begins, std::function<void()> ends) {
  impl_->wait_begins = std::move(begins);
  impl_->wait_ends = std::move(ends);
}
const std::vector<pnn>& blocking_client::awaited() const { return impl_->awaited; }

void blocking_client::run(const std::function<bool()>& done) {
  if (impl_->wait_begins) impl_->wait_begins();
  while (!impl_->loop->run_until(done, std::chrono::hours(1))) {
  }
  if (impl_->wait_ends) impl_->wait_ends();
}

result<blocking_client> blocking_client::connect(const std::string& socket, duration patience) {
  blocking_client b(std::make_unique<impl>());
  auto up = b.wait<pnn>([&](auto done) {
    b.async().connect(
        {.socket = socket, .hello_timeout = patience},
        {.connected = [done](pnn self) { done(self); },
         .disconnected = [done](const client_error& e) { done(std::unexpected(e)); }});
  });
  if (!up) return std::unexpected(up.error());
  return b;
}

result<client_reply> blocking_client::send_control(pnn to, floe::control opcode, bytes data,
                                                   duration patience, request_options o) {
  return wait<client_reply>([&](auto done) {
    async().send_control(to, opcode, std::move(data), patience, done, std::move(o));
  });
}

std::vector<node_reply> blocking_client::control_many(const std::vector<pnn>& nodes,
                                                      floe::control opcode, const bytes& data,
                                                      duration patience) {
  if (nodes.empty()) return {};
  impl_->awaited = nodes;
  auto all = wait<std::vector<node_reply>>([&](auto done) {
    struct answers {
      std::vector<std::optional<node_reply>> of;
      std::size_t left;
    };
    auto a = std::make_shared<answers>(std::vector<std::optional<node_reply>>(nodes.size()),
                                       nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i)
      floe::control_many(async(), {nodes[i]}, opcode, data, patience,
                         [a, i, done, &late = impl_->awaited](std::vector<node_reply> one) {
                           if (const auto n = std::ranges::find(late, one.front().node);
                               n != late.end())
                             late.erase(n);
                           a->of[i] = std::move(one.front());
                           if (--a->left > 0) return;
                           std::vector<node_reply> told;
                           for (auto& r : a->of) told.push_back(std::move(*r));
                           done(std::move(told));
                         });
  });
  impl_->awaited.clear();
  return std::move(*all);
}

result<db_id> blocking_client::attach(byte_view name, db_kind kind, duration patience) {
  return wait<db_id>([&](auto done) { floe::attach(async(), name, kind, patience, done); });
}
result<db_id> blocking_client::find_database(byte_view name_or_id, duration patience) {
  return wait<db_id>([&](auto done) { floe::find_database(async(), name_or_id, patience, done); });
}
result<held_lock> blocking_client::lock(db_id db, byte_view key, duration patience) {
  auto r = wait<locked_record>([&](auto done) { lock_record(async(), db, key, patience, done); });
  if (!r) return std::unexpected(r.error());
  return held_lock(*this, std::move(*r));
}
result<read_record_answer> blocking_client::read(db_id db, byte_view key, duration patience,
                                                 read_from from) {
  return wait<read_record_answer>(
      [&](auto done) { read_record(async(), db, key, from, patience, done); });
}

held_lock::~held_lock() {
  if (owner_) (void)unlock(std::chrono::seconds(10));
}

result<void> held_lock::store(byte_view data, duration patience, after_write then) {
  auto r = owner_->wait<void>([&](auto done) {
    store_record(owner_->async(), record_.lock_id, data, then, patience, done);
  });
  if (r && then == after_write::unlock) owner_ = nullptr;
  return r;
}
result<void> held_lock::remove(duration patience, after_write then) {
  auto r = owner_->wait<void>(
      [&](auto done) { delete_record(owner_->async(), record_.lock_id, then, patience, done); });
  if (r && then == after_write::unlock) owner_ = nullptr;
  return r;
}
result<void> held_lock::unlock(duration patience) {
  auto& owner = *std::exchange(owner_, nullptr);
  return owner.wait<void>(
      [&](auto done) { unlock_record(owner.async(), record_.lock_id, patience, done); });
}

}  // namespace floe
