#include "actors/client/processes.hpp"

#include <algorithm>
#include <atomic>

#include "protocol/rules/g_lock.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe {
namespace {

/// Tells the names of one process apart.
std::uint16_t next_number() {
  static std::atomic<std::uint16_t> last{0};
  return ++last;
}

/// A node that is lost has no clients, unless it is in the map: then its connection is just coming up, or a recovery will
/// leave it out.
void ask_map(client& c, const server_id& who, client_error lost, duration patience,
             when_done<bool> done) {
  c.control<control::getvnnmap>(
      pnn::current, {}, patience,
      [who, lost = std::move(lost), done = std::move(done)](const auto& map) {
        if (!map) return done(std::unexpected(map.error()));
        const auto& slots = map->value.slots;
        if (std::ranges::find(slots, who.vnn) != slots.end()) return done(std::unexpected(lost));
        done(false);
      });
}

bool is_lost(const client_error& e) { return e.cause == failure_cause::disconnected; }

}  // namespace

void process_exists(client& c, pnn node, std::int32_t pid, std::optional<floe::srvid> registered,
                    duration patience, when_done<bool> done) {
  const auto tell = [done = std::move(done)](const result<client_reply>& r) {
    if (r) return done(true);
    // "no" is an answer; that the node could not be asked is none
    if (r.error().code == client_errc::refused && !is_lost(r.error())) return done(false);
    done(std::unexpected(r.error()));
  };
  if (registered)
    c.send_control(
        node, control::check_pid_srvid,
        encode_request<control::check_pid_srvid>({.pid = process_id{pid}, .srvid = *registered}),
        patience, tell);
  else
    c.send_control(node, control::process_exists,
                   encode_request<control::process_exists>(process_id{pid}), patience, tell);
}

void name_myself(client& c, duration patience, when_done<server_id> done) {
  const auto name = floe_lock_owner(c.process(), c.self(), next_number());
  c.listen(
      srvid{name.unique_id}, [](const client_message&) {}, patience,
      [name, done = std::move(done)](const result<void>& r) {
        if (r)
          done(name);
        else
          done(std::unexpected(r.error()));
      });
}

void give_up_name(client& c, const server_id& name) { c.unlisten(srvid{name.unique_id}); }

void server_exists(client& c, const server_id& who, duration patience, when_done<bool> done) {
  const auto named = who.task_id == floe_lock_task ? std::optional(srvid{who.unique_id})
                                                   : std::optional<floe::srvid>();
  process_exists(c, who.vnn, static_cast<std::int32_t>(who.pid), named, patience,
                 [&c, who, patience, done = std::move(done)](const result<bool>& r) {
                   if (!r && is_lost(r.error())) return ask_map(c, who, r.error(), patience, done);
                   done(r);
                 });
}

}  // namespace floe
