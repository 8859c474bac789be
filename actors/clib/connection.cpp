#include "actors/clib/connection.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <set>

#include "protocol/hash.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::clib {

constexpr std::size_t most_letters = 65536;

namespace {

control registration(letter_box_name::kind of, bool begin) {
  if (of == letter_box_name::kind::tunnel)
    return begin ? control::tunnel_register : control::tunnel_deregister;
  return begin ? control::register_srvid : control::deregister_srvid;
}

}  // namespace

/// All connections of the process, for the moment of a fork. The locks are taken before it, so that the child finds
/// everything whole; what threads that do not exist there were about to do is in the channel, which is left to lie.
struct forks {
  std::mutex m;
  std::set<node_connection*> all;

  static forks& of_process() {
    static auto* one =
        new forks;  // lives as long as the process: threads may outlast its exit handlers
    return *one;
  }

  void add(node_connection* c) {
    static const int registered = ::pthread_atfork(
        [] {
          auto& f = of_process();
          f.m.lock();
          for (auto* one : f.all) one->m_.lock();
        },
        [] {
          auto& f = of_process();
          for (auto* one : f.all) one->m_.unlock();
          f.m.unlock();
        },
        [] {
          auto& f = of_process();
          for (auto* one : f.all) one->forget_parent();
          new (&f.m) std::mutex;
        });
    if (registered != 0) throw std::bad_alloc();
    const std::lock_guard guard(m);
    all.insert(c);
  }
  void remove(node_connection* c) {
    const std::lock_guard guard(m);
    all.erase(c);
  }
};

// --- fork --------------------------------------------------------------------------------------------------------

void node_connection::forget_parent() {
  if (socket_fd_ >= 0) ::close(socket_fd_);
  socket_fd_ = -1;
  close_descriptors();
  // not destroyed: other threads may have been at work in it
  new (&channel_) std::shared_ptr<channel>;
  new (&hot_) std::vector<std::pair<db_id, std::shared_ptr<shared_table>>>;
  ++life_;
  new (&box_) std::shared_ptr<channel::mailbox>;
  new (&m_) std::mutex;
  new (&connecting_) std::mutex;
  listeners_.clear();
  lost_ = false;
}

void node_connection::close_descriptors() {
  for (int* fd : {&poll_fd_, &wake_fd_}) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
}

// --- life --------------------------------------------------------------------------------------------------------

outcome<std::unique_ptr<node_connection>> node_connection::open(const std::string& where,
                                                                unsigned flags, limit until) {
  struct stat s {};
  const bool directory = ::stat(where.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
  std::unique_ptr<node_connection> made(
      new node_connection(directory ? where + "/run/ctdbd.socket" : where, flags));
  forks::of_process().add(made.get());
  if (const auto first = made->line(until); !first) return std::unexpected(first.error());
  return made;
}

node_connection::~node_connection() {
  forks::of_process().remove(this);
  close_descriptors();
}

outcome<std::shared_ptr<channel>> node_connection::line(limit until) {
  const auto present = [this]() -> std::shared_ptr<channel> {
    const std::lock_guard guard(m_);
    return channel_;
  };
  if (auto c = present(); c && !c->broken()) return c;
  const std::lock_guard one_at_a_time(connecting_);
  const auto old = present();
  if (old && !old->broken()) return old;
  if (old && !(flags_ & FLOE_RECONNECT))
    return failed(FLOE_ELOST, "the connection to the node was lost");
  auto made = channel::open(socket_, flags_ & FLOE_PRIVILEGED, until);
  if (!made) return made;
  if (auto met = greet(**made, until); !met) {
    // a node that is ending still takes connections; whoever calls has asked it nothing
    if (met.error().code == FLOE_ELOST) met.error().code = FLOE_ENOTCONN;
    return std::unexpected(met.error());
  }
  const std::lock_guard guard(m_);
  close_descriptors();
  for (const auto& [id, table] : hot_) table->user.disconnect();
  hot_.clear();
  channel_ = *made;
  socket_fd_ = (*made)->fd();
  return channel_;
}

bool node_connection::current(const std::shared_ptr<channel>& c) {
  const std::lock_guard guard(m_);
  return channel_ == c && !c->broken();
}

std::shared_ptr<shared_table> node_connection::hot_table(db_id db, std::uint64_t now) {
  std::shared_ptr<shared_table> found;
  {
    const std::lock_guard guard(m_);
    for (const auto& [id, table] : hot_)
      if (id == db) found = table;
  }
  if (found && !trusted(*found, now)) found = nullptr;
  return found;
}

bool node_connection::trusted(shared_table& t, std::uint64_t now) {
  constexpr std::uint64_t trusted_for_us = 10'000;
  if (now < t.trusted_until_us.load(std::memory_order_relaxed)) return t.user.connected();
  std::shared_ptr<channel> c;
  {
    const std::lock_guard guard(m_);
    c = channel_;
  }
  if (!t.user.connected()) return false;
  if (!c || c->broken()) {
    t.user.disconnect();
    return false;
  }
  t.trusted_until_us.store(now + trusted_for_us, std::memory_order_relaxed);
  return true;
}

void node_connection::remember(const std::shared_ptr<channel>& c, db_id db,
                               std::shared_ptr<shared_table> table) {
  const std::lock_guard guard(m_);
  if (channel_ != c ||
      std::ranges::find(hot_, db, &std::pair<db_id, std::shared_ptr<shared_table>>::first) !=
          hot_.end())
    return;
  hot_.emplace_back(db, std::move(table));
}

/// What a new channel has to be told before it is used.
outcome<void> node_connection::greet(channel& c, limit until) {
  const auto number = c.ask({.opcode = control::get_pnn}, until);
  if (!number) return std::unexpected(number.error());
  self_ = pnn{static_cast<std::uint32_t>(number->status)};
  if (flags_ & FLOE_COMPANION)  // a node that does not know the control counts us, which is no harm
    if (const auto r = c.ask({.opcode = control::accompany}, until);
        !r && r.error().code != FLOE_EREFUSED)
      return std::unexpected(r.error());
  std::vector<std::pair<std::string, db_kind>> attached;
  decltype(listeners_) listeners;
  std::shared_ptr<channel::mailbox> box;
  {
    const std::lock_guard guard(m_);
    attached = attached_;
    listeners = listeners_;
    box = box_;
    if (box) box->wake = -1;
  }
  for (const auto& [name, kind] : attached)
    if (const auto r = attach_by(c, name, kind, until); !r) return std::unexpected(r.error());
  for (const auto& [name, l] : listeners) {
    c.open_box(name, box);
    const auto r =
        c.ask({.opcode = registration(name.is, true), .srvid = floe::srvid{name.id}}, until);
    // a tunnel that another client has opened meanwhile is that one's
    if (!r && !(name.is == letter_box_name::kind::tunnel && r.error().code == FLOE_EREFUSED))
      return std::unexpected(r.error());
  }
  return {};
}

// --- databases ---------------------------------------------------------------------------------------------------

outcome<db_id> node_connection::attach_by(channel& c, const std::string& name, db_kind kind,
                                          limit until) {
  const auto opcode = kind == db_kind::persistent   ? control::db_attach_persistent
                      : kind == db_kind::replicated ? control::db_attach_replicated
                                                    : control::db_attach;
  const auto data = wire::encode(wire::string{name});
  const auto a = c.ask({.opcode = opcode, .data = data}, until);
  if (!a) return std::unexpected(a.error());
  const auto id = decode_reply<control::db_attach>(a->data);
  if (!id) return failed(FLOE_EREPLY, id.error().text());
  return *id;
}

outcome<db_id> node_connection::attach(const std::string& name, db_kind kind, limit until) {
  const auto c = line(until);
  if (!c) return std::unexpected(c.error());
  auto id = attach_by(**c, name, kind, until);
  if (!id) return id;
  const std::lock_guard guard(m_);
  const std::pair one(name, kind);
  if (std::ranges::find(attached_, one) == attached_.end()) attached_.push_back(one);
  return id;
}

void node_connection::forget_attached(db_id db) {
  const std::lock_guard guard(m_);
  std::erase_if(attached_, [&](const auto& one) { return db_id_of(one.first) == db; });
}

// --- messages ----------------------------------------------------------------------------------------------------

/// With m_ taken.
const std::shared_ptr<channel::mailbox>& node_connection::mailbox() {
  if (!box_) {
    box_ = std::make_shared<channel::mailbox>();
    box_->most = most_letters;
    box_->wake = wake_fd_;
  }
  return box_;
}

outcome<void> node_connection::listen(letter_box_name s, listener l) {
  const auto until = patience();
  const auto c = line(until);
  if (!c) return std::unexpected(c.error());
  bool known = false;
  std::shared_ptr<channel::mailbox> box;
  {
    const std::lock_guard guard(m_);
    known = listeners_.contains(s);
    if (l)
      listeners_[s] = std::make_shared<const listener>(l);
    else
      listeners_.erase(s);
    box = mailbox();
  }
  const bool wanted = static_cast<bool>(l);
  if (known == wanted) return {};
  if (wanted) (*c)->open_box(s, box);
  const auto a =
      (*c)->ask({.opcode = registration(s.is, wanted), .srvid = floe::srvid{s.id}}, until);
  if (!wanted) (*c)->close_box(s);
  if (a) return {};
  if (wanted) {
    (*c)->close_box(s);
    const std::lock_guard guard(m_);
    listeners_.erase(s);
  }
  return std::unexpected(a.error());
}

void node_connection::take_wake_back() {
  const std::lock_guard guard(m_);
  std::uint64_t ignored = 0;
  if (wake_fd_ >= 0 && ::read(wake_fd_, &ignored, sizeof ignored) < 0) ignored = 0;
}

outcome<int> node_connection::process(limit until) {
  const auto c = line(until);
  if (!c) return std::unexpected(c.error());
  std::shared_ptr<channel::mailbox> box;
  {
    const std::lock_guard guard(m_);
    box = mailbox();
  }
  int handled = 0;
  // Reading the socket puts letters into the box, which wakes who polls: ourselves. Only a box that is found empty after
  // the wake-up was taken back leaves nothing for another thread to miss.
  for (bool quiet = false;;) {
    auto next = (*c)->take(*box, handled == 0 ? until : within(0));
    if (!next) return handled > 0 ? outcome<int>(handled) : std::unexpected(next.error());
    if (!*next && quiet) break;
    quiet = !*next;
    if (quiet) {
      take_wake_back();
      continue;
    }
    std::shared_ptr<const listener> l;  // it may end its own registration
    {
      const std::lock_guard guard(m_);
      if (const auto i = listeners_.find((*next)->to); i != listeners_.end()) l = i->second;
    }
    ++handled;
    if (l) (*l)(**next);
  }
  if (box->dropped && handled == 0) {
    box->dropped = false;
    return failed(FLOE_ELOST, "messages were dropped: too many waited");
  }
  return handled;
}

outcome<int> node_connection::descriptor() {
  const auto c = line(patience());
  if (!c) return std::unexpected(c.error());
  const std::lock_guard guard(m_);
  if (poll_fd_ >= 0) return poll_fd_;
  poll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event e{.events = EPOLLIN, .data = {}};
  if (poll_fd_ < 0 || wake_fd_ < 0 || ::epoll_ctl(poll_fd_, EPOLL_CTL_ADD, socket_fd_, &e) != 0 ||
      ::epoll_ctl(poll_fd_, EPOLL_CTL_ADD, wake_fd_, &e) != 0) {
    const int error = errno;
    close_descriptors();
    return failed(FLOE_ENOMEM, std::string("no descriptor to poll: ") + std::strerror(error));
  }
  mailbox()->wake = wake_fd_;
  const std::uint64_t one = 1;  // letters may have come before there was anything to wake
  if (::write(wake_fd_, &one, sizeof one) < 0) return failed(FLOE_ENOMEM, "no descriptor to poll");
  return poll_fd_;
}

}  // namespace floe::clib
