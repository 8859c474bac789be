/// Who may use a database's record table: it is made when the first client asks, each gets the memory and a number in it,
/// and what one held that is gone is let go of. What goes in and comes out: hot_records.cpp.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "actors/database/hot_records.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_status.hpp"
#include "protocol/record_table_flags.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Small: what happens when there is no room has to happen.
constexpr table_size simulated_size{.sets = 2, .area_words = 1U << 11};

/// A process that ends lets go of its memory first and of its sockets later; its entry in /proc stays for longer.
bool has_no_memory(pid_t pid) {
  if (pid <= 0) return false;
  std::error_code error;
  const std::filesystem::path tasks = fmt::format("/proc/{}/task", pid);
  auto each = std::filesystem::directory_iterator(tasks, error);
  if (error) return error == std::errc::no_such_file_or_directory;
  for (; each != std::filesystem::directory_iterator(); each.increment(error)) {
    std::ifstream in(each->path() / "statm");
    std::uint64_t pages = 0;
    if (in >> pages && pages != 0) return false;
    if (error) return false;
  }
  return true;
}

}  // namespace

open_table::~open_table() {
  if (wake_fd < 0) return;
  loop.unwatch(wake_fd);
  ::close(wake_fd);
}

bool is_gone(const open_table::process& p, bool simulated) {
  return simulated ? p.simulated.expired() : has_no_memory(p.pid);
}

void hot_records::set(const db_table_rules& m) {
  rules_ = m;
  if (!m.on) recall_all();
}

/// Nothing, and the reason in words; or the table is there.
std::optional<std::string> hot_records::open() {
  const bool simulated = port_.env.loop.is_simulated();
  auto memory =
      simulated ? table_memory::create_private(simulated_size) : table_memory::create_shared({});
  if (!memory) return "no record table: " + memory.error();
  auto made = std::make_unique<open_table>(port_.env.loop);
  (*memory)->head().database = number(port_.config.id);
  // nanoseconds: no table of a node that lived before has counted so far, and clients cache by this number
  (*memory)->head().stores[0].value.store(static_cast<std::uint64_t>(port_.env.loop.wall_us()) *
                                          1000);
  made->table = std::make_unique<record_table>(std::move(*memory));
  if (!simulated) {
    made->wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (made->wake_fd < 0) return "no record table: no eventfd";
    // never read: every write is an edge, and a client can make a descriptor that it shares block
    port_.env.loop.watch(made->wake_fd, EPOLLIN | EPOLLET,
                         [to = port_.self](std::uint32_t) { to.tell(db_table_rung{}); });
  }
  if (!port_.thawed() || !port_.is_of_map()) made->table->close();
  open_ = std::move(made);
  return std::nullopt;
}

void hot_records::admit(db_control& m) {
  const auto flags = m.request<control::record_table>().flags;
  if (port_.config.kind != db_kind::volatile_db && !(flags & record_table_for_reads))
    return m.answer.fail("records are locked in record tables of volatile databases only");
  if (!rules_.on) return m.answer.fail("RecordTable is 0");
  if (!open_)
    if (const auto why = open()) return m.answer.fail(*why);
  auto& h = *open_;
  auto known = h.users.find(m.client->id);
  if (known == h.users.end()) {
    const auto number = h.table->admit(m.client->pid);
    if (number == 0) return m.answer.fail("too many clients have the record table");
    known = h.users.emplace(m.client->id, open_table::user{.client = *m.client, .number = number})
                .first;
    h.id_of[number] = m.client->id;
  }
  auto along = memory_for(known->second);
  if (!along) return m.answer.fail("no descriptors are left");
  m.answer({.data = wire::encode(record_table_reply{.client = known->second.number}),
            .along = std::move(along)});
}

/// What a client needs of the table; nothing if it cannot be had.
descriptors_ptr hot_records::memory_for(open_table::user& u) const {
  const auto& memory = open_->table->memory();
  if (port_.env.loop.is_simulated()) {
    auto mapping = std::make_shared<shared_in_process>(
        memory, [to = port_.self] { to.tell(db_table_rung{}); }, sight());
    u.simulated = mapping;
    return std::make_shared<const descriptors>(std::move(mapping));
  }
  std::vector<int> fds;
  for (const int fd : {memory->descriptor(), open_->wake_fd})
    fds.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  const bool all = std::ranges::all_of(fds, [](int fd) { return fd >= 0; });
  auto along = std::make_shared<const descriptors>(std::move(fds));  // which closes them
  return all ? along : nullptr;
}

/// What happens in the memory of the table happens without the node. A simulated client says it, as long as the node lives.
std::function<void(shared_in_process::act, byte_view, std::uint64_t, bool)> hot_records::sight()
    const {
  if (!port_.config.witness) return {};
  return [this, lives = std::weak_ptr(open_->lives)](shared_in_process::act what, byte_view key,
                                                     std::uint64_t rsn, bool deleted) {
    if (lives.expired()) return;
    const record_header h{.rsn = floe::rsn{rsn}, .dmaster = port_.env.self};
    switch (what) {
      case shared_in_process::act::locked: return port_.witness(&database_witness::granted, key, h);
      case shared_in_process::act::stored:
        return port_.witness(&database_witness::acknowledged, key, h, deleted);
      case shared_in_process::act::let_go: return port_.witness(&database_witness::released, key);
    }
  };
}

bool hot_records::client_gone(std::uint64_t client, bool has_unmapped) {
  if (!open_) return false;
  auto& h = *open_;
  const auto found = h.users.find(client);
  if (found == h.users.end() || mutated(mutant::dead_client_keeps_table_lock)) return false;
  const auto [ref, number, simulated] = found->second;
  const open_table::process its{.pid = ref.pid, .simulated = simulated};
  const bool runs_on = !has_unmapped && !is_gone(its, port_.env.loop.is_simulated());
  h.users.erase(found);
  h.id_of.erase(number);
  if (runs_on) {
    h.running_on[number] = its;
    tick_later();
  }
  std::vector<bytes> keys;
  for (const auto slot : h.table->clear(number, runs_on)) keys.push_back(h.table->key_of(slot));
  for (const bytes& key : keys) {
    port_.witness(&database_witness::released, key);
    port_.note(event::lock_release{.client = ref.id,
                                   .pid = ref.pid,
                                   .name = ref.name,
                                   .key = to_hex(key),
                                   .held_us = 0,
                                   .why = "client-gone"});
  }
  return true;
}

}  // namespace floe
