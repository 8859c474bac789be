#include "actors/clib/channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "actors/clib/connect.hpp"
#include "actors/clib/value.hpp"
#include "protocol/constants.hpp"
#include "protocol/record_status.hpp"
#include "protocol/record_table_flags.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::clib {
outcome<std::shared_ptr<channel>> channel::open(const std::string& socket, bool as_root,
                                                limit until) {
  const auto fd = connect_to(socket, as_root, until);
  if (!fd) return std::unexpected(fd.error());
  return std::shared_ptr<channel>(new channel(*fd));
}

parcel_fds::~parcel_fds() {
  for (const int fd : fds)
    if (fd >= 0) ::close(fd);
}

/// A process that lives on says that it has given up the memory: what it held there can be used again.
channel::~channel() {
  for (const db_id db : tables_.close()) {
    const auto data =
        encode_request<control::record_table>({.db_id = db, .flags = record_table_leave});
    (void)tell({.opcode = control::record_table, .data = data}, within(0));
  }
  ::close(fd_);
}

// --- record tables -----------------------------------------------------------------------------------------------

std::shared_ptr<shared_table> channel::table(db_id db, limit until) {
  if (auto known = tables_.of(db); known.is != shared_tables::known::unasked) return known.table;
  const std::lock_guard one_at_a_time(tables_.asking);
  if (auto known = tables_.of(db); known.is != shared_tables::known::unasked) return known.table;
  const auto question = [&](std::uint32_t flags) {
    const auto data = encode_request<control::record_table>({.db_id = db, .flags = flags});
    return ask({.opcode = control::record_table, .data = data}, until);
  };
  const auto refused = [](const outcome<answer>& a) {
    return !a && a.error().code == FLOE_EREFUSED;
  };
  auto a = question(0);
  const bool only_read = refused(a);
  if (only_read) a = question(record_table_for_reads);
  // a node that has not answered yet is asked again at the next use; what comes late is closed
  if (!a && !refused(a)) return nullptr;
  std::shared_ptr<shared_table> made;
  const auto reply =
      a ? decode_reply<control::record_table>(a->data) : std::unexpected(wire::error{});
  if (reply && a->along && a->along->fds.size() == 2)
    if (auto memory = table_memory::map(a->along->take(0));
        memory && (*memory)->head().database == number(db))
      made = std::make_shared<shared_table>(std::move(*memory), reply->client, a->along->take(1),
                                            only_read);
  tables_.keep(db, made);
  return made;
}

std::shared_ptr<shared_table> channel::table_after(const std::shared_ptr<shared_table>& old,
                                                   db_id db, limit until) {
  {
    const std::lock_guard one_at_a_time(tables_.asking);
    if (tables_.of(db).table == old) tables_.forget(db);
  }
  return table(db, until);
}

/// Who asks for nothing does not read; the end of the node shows nevertheless before a request is sent into nowhere.
bool channel::broken() {
  const std::lock_guard guard(m_);
  pollfd p{fd_, POLLRDHUP, 0};
  if (broken_.empty() && ::poll(&p, 1, 0) == 1 && p.revents & (POLLRDHUP | POLLHUP | POLLERR))
    broken_ = "the node has closed it";
  return !broken_.empty();
}

failure channel::lost(bool unsent) const {
  return {.code = FLOE_ELOST,
          .text = "the connection to the node is lost: " + broken_,
          .unsent = unsent};
}

// --- requests ----------------------------------------------------------------------------------------------------

/// With m_ taken: an answer to this number is for `w`.
std::uint32_t channel::expect(waiting& w) {
  std::uint32_t id = 0;
  do id = ++last_id_;
  while (id == 0 || waiting_.contains(id));
  waiting_[id] = &w;
  return id;
}

outcome<void> channel::send_request(std::uint32_t id, const request& r, limit until) {
  return send(
      encode_packet(
          {.dest = r.to, .id = reqid{id}},
          req_control{.opcode = r.opcode, .srvid = r.srvid, .flags = r.flags, .data = r.data},
          padding::none),
      until);
}

/// Of one that is done, or will not be.
outcome<answer> channel::result_of(const waiting& w, control opcode) {
  if (!w.done)
    return failed(FLOE_ETIMEOUT, "the node has not answered " + control_name(opcode) + " in time");
  const auto& c = w.content;
  if (c.status >= 0) return answer{w.packet, c.status, c.data, w.along};
  auto said = read_error_field(c.error);
  if (said.text.empty())
    said.text = control_name(opcode) + " was refused with status " + std::to_string(c.status);
  return std::unexpected(failure{.code = FLOE_EREFUSED,
                                 .text = std::move(said.text),
                                 .status = c.status,
                                 .cause = said.cause});
}

outcome<answer> channel::ask(const request& r, limit until, const table_claim* claim) {
  waiting mine{.brings_table = r.opcode == control::record_table};
  std::unique_lock lock(m_);
  if (!broken_.empty()) return std::unexpected(lost(true));
  const auto id = expect(mine);
  lock.unlock();
  const auto sent = send_request(id, r, until);
  lock.lock();
  const auto done = sent ? wait(lock, until, [&] { return mine.done; })
                         : outcome<bool>(std::unexpected(sent.error()));
  waiting_.erase(id);
  if (!done) return std::unexpected(done.error());
  if (!*done) {
    if (r.opcode == control::record_lock)
      abandoned_locks_.emplace(id, claim ? *claim : table_claim{});
    if (r.opcode == control::record_table) abandoned_tables_.insert(id);
  }
  return result_of(mine, r.opcode);
}

std::vector<outcome<answer>> channel::ask_many(const request& r, std::span<const pnn> nodes,
                                               limit until) {
  std::vector<waiting> all(nodes.size());
  std::vector<std::uint32_t> ids;
  std::unique_lock lock(m_);
  for (auto& w : all) ids.push_back(expect(w));
  outcome<bool> done = broken_.empty() ? outcome<bool>(true) : std::unexpected(lost());
  lock.unlock();
  request one = r;
  for (std::size_t i = 0; done && i < nodes.size(); ++i) {
    one.to = nodes[i];
    if (const auto sent = send_request(ids[i], one, until); !sent)
      done = std::unexpected(sent.error());
  }
  lock.lock();
  if (done) done = wait(lock, until, [&] { return std::ranges::all_of(all, &waiting::done); });
  for (const auto id : ids) waiting_.erase(id);
  std::vector<outcome<answer>> answers;
  for (const auto& w : all)  // what came before the connection broke counts
    answers.push_back(done || w.done ? result_of(w, r.opcode)
                                     : outcome<answer>(std::unexpected(done.error())));
  return answers;
}

outcome<void> channel::tell(const request& r, limit until) {
  return send(encode_packet({.dest = r.to},
                            req_control{.opcode = r.opcode,
                                        .srvid = r.srvid,
                                        .flags = r.flags | control_flag::noreply,
                                        .data = r.data},
                            padding::none),
              until);
}

outcome<void> channel::post(pnn to, floe::srvid srvid, byte_view data, limit until) {
  return send(encode_packet({.dest = to}, req_message{.srvid = srvid, .data = data}, padding::none),
              until);
}

outcome<void> channel::post(pnn to, const req_tunnel& packet, limit until) {
  return send(encode_packet({.dest = to}, packet, padding::none), until);
}

/// A packet that is sent in part only ends the connection: nothing could follow it.
outcome<void> channel::send(const bytes& packet, limit until) {
  if (packet.size() > most_octets)  // the node would end the connection
    return failed(FLOE_EINVAL, "larger than what a node takes: " + std::to_string(packet.size()) +
                                   " octets of at most " + std::to_string(most_octets));
  std::unique_lock lock(sending_, std::defer_lock);
  if (!until)
    lock.lock();
  else if (!lock.try_lock_until(*until))
    return failed(FLOE_ETIMEOUT, "the node takes nothing");
  std::size_t at = 0;
  while (at < packet.size()) {
    const auto n = ::send(fd_, packet.data() + at, packet.size() - at, MSG_NOSIGNAL);
    if (n > 0) {
      at += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN && wait_for(fd_, POLLOUT, until)) continue;
    if (errno == EAGAIN && at == 0) return failed(FLOE_ETIMEOUT, "the node takes nothing");
    const std::lock_guard guard(m_);
    if (broken_.empty()) broken_ = words("send", errno);
    ::shutdown(fd_, SHUT_RDWR);
    changed_.notify_all();
    return std::unexpected(lost(at == 0));
  }
  return {};
}

// --- reading -----------------------------------------------------------------------------------------------------

/// Until `done`, the limit (false), or the end of the connection. What has arrived already is looked at in any case.
template <class Done>
outcome<bool> channel::wait(std::unique_lock<std::mutex>& lock, limit until, Done done) {
  for (bool tried = false; !done(); tried = true) {
    if (!broken_.empty()) return std::unexpected(lost());
    if (tried && passed(until)) return false;
    if (reading_) {
      if (until)
        changed_.wait_until(lock, *until);
      else
        changed_.wait(lock);
      continue;
    }
    reading_ = true;
    lock.unlock();
    auto ended = receive(until);
    lock.lock();
    reading_ = false;
    while (!ended) {
      auto next = framer_.next();
      if (!next && next.error().fatal)
        ended = "from the node came no packet: " + next.error().text();
      if (!next) continue;
      if (!*next) break;
      sort_in(std::move(**next));
    }
    if (ended && broken_.empty()) broken_ = *ended;
    if (!too_late_.empty()) give_back_what_came_too_late(lock);
    changed_.notify_all();
  }
  return true;
}

/// Some octets, or nothing at the limit; a text if there will be no more.
std::optional<std::string> channel::receive(limit until) {
  if (!wait_for(fd_, POLLIN, until)) return std::nullopt;
  const auto room = framer_.prepare();
  iovec part{room.data(), room.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  m.msg_control = control;
  m.msg_controllen = sizeof control;
  const auto n = ::recvmsg(fd_, &m, MSG_CMSG_CLOEXEC);
  if (n > 0) keep_descriptors(m);
  if (n > 0) framer_.commit(static_cast<std::size_t>(n));
  if (n == 0) return "the node has closed it";
  if (n < 0 && errno != EAGAIN && errno != EINTR) return words("receive", errno);
  return std::nullopt;
}

/// They belong to the last packet that this read completes or begins; no read goes beyond it. Only the thread that reads
/// the socket touches them, as the framer.
void channel::keep_descriptors(const msghdr& m) {
  for (const auto* c = CMSG_FIRSTHDR(&m); c;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&m), const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    auto one = std::make_shared<parcel_fds>();
    one->fds.resize((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(one->fds.data(), CMSG_DATA(c), one->fds.size() * sizeof(int));
    came_.push_back(std::move(one));
  }
}

void channel::sort_in(frame packet) {
  const auto p = decode_packet(*packet);
  if (!p) {
    broken_ = "from the node came no packet: " + p.error().text();
    return;
  }
  if (const auto* c = std::get_if<reply_control>(&p->body)) {
    const auto id = number(p->header.id);
    if (const auto w = waiting_.find(id); w != waiting_.end()) {
      w->second->content = *c;
      w->second->packet = std::move(packet);
      w->second->done = true;
      if (w->second->brings_table && c->status >= 0 && !came_.empty()) {
        w->second->along = std::move(came_.front());
        came_.pop_front();
      }
    } else if (const auto late = abandoned_locks_.find(id); late != abandoned_locks_.end()) {
      give_back(*c, late->second);
      abandoned_locks_.erase(late);
    } else if (abandoned_tables_.erase(id) > 0 && c->status >= 0 && !came_.empty()) {
      came_.pop_front();
    }
  } else if (const auto* m = std::get_if<req_message>(&p->body)) {
    deliver({.packet = packet,
             .to = {letter_box_name::kind::message, number(m->srvid)},
             .from = p->header.src,
             .data = m->data});
  } else if (const auto* t = std::get_if<req_tunnel>(&p->body)) {
    deliver({.packet = packet,
             .to = {letter_box_name::kind::tunnel, t->tunnel_id},
             .flags = t->flags,
             .data = t->data});
  }
}

void channel::deliver(letter l) {
  const auto i = boxes_.find(l.to);
  if (i == boxes_.end()) return;
  auto& box = *i->second;
  if (box.letters.size() >= box.most) {
    box.dropped = true;
    return;
  }
  box.letters.push_back(std::move(l));
  const std::uint64_t one = 1;
  if (box.wake >= 0 && ::write(box.wake, &one, sizeof one) < 0) box.wake = -1;
}

/// Whoever asked has gone on without it.
void channel::give_back(const reply_control& late_grant, const table_claim& claim) {
  const auto r = late_grant.status == 0 ? wire::decode<record_lock_reply>(late_grant.data)
                                        : std::unexpected(wire::error{});
  if (r && r->lock_id != 0) too_late_.push_back(r->lock_id);
  if (!claim.table) return;
  auto& user = claim.table->user;
  if (r && r->lock_id == 0)
    if (const auto p = find(user.memory(), claim.key, table_hash(claim.key)))
      (void)user.unlock(*p, claim.number);
  claim.table->numbers.give_back(claim.number);
}

/// What could not be given back goes with the connection.
void channel::give_back_what_came_too_late(std::unique_lock<std::mutex>& lock) {
  constexpr int patience_ms = 1000;
  for (const auto id : std::exchange(too_late_, {})) {
    lock.unlock();
    const auto data = wire::encode(record_unlock_request{.lock_id = id});
    const auto done = tell({.opcode = control::record_unlock, .data = data}, within(patience_ms));
    lock.lock();
    if (!done && broken_.empty()) broken_ = "a lock that came too late could not be given back";
  }
}

// --- messages ----------------------------------------------------------------------------------------------------

void channel::open_box(letter_box_name s, std::shared_ptr<mailbox> box) {
  const std::lock_guard guard(m_);
  boxes_[s] = std::move(box);
}

void channel::close_box(letter_box_name s) {
  const std::lock_guard guard(m_);
  boxes_.erase(s);
}

outcome<std::optional<letter>> channel::take(mailbox& box, limit until) {
  std::unique_lock lock(m_);
  const auto there = wait(lock, until, [&] { return !box.letters.empty() || box.dropped; });
  if (!there) return std::unexpected(there.error());
  if (!*there || box.letters.empty()) return std::nullopt;
  auto first = std::move(box.letters.front());
  box.letters.pop_front();
  return first;
}

}  // namespace floe::clib
