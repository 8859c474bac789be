#include "actors/net/sim_network.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace floe {

/// TCP sends a packet again after so long, then after twice as long, and so on.
constexpr duration first_retry = std::chrono::milliseconds(200);

struct sent_packet {
  frame packet;
  descriptors_ptr along;
};

class sim_connection final : public connection,
                             public std::enable_shared_from_this<sim_connection> {
 public:
  sim_connection(sim_switch& net, std::string own, endpoint remote)
      : net_(net), own_(std::move(own)), remote_(std::move(remote)) {}
  ~sim_connection() override { sim_connection::close(); }

  void send_along(frame packet, descriptors_ptr along) override {
    if (!open_) return;
    ++net_.packets_;
    outgoing_.push_back({std::move(packet), std::move(along)});
    pump();
  }
  void send(frame packet, task written) override {
    if (!open_) return;
    ++net_.packets_;
    outgoing_.push_back({std::move(packet), nullptr});
    if (written) net_.loop_.post(std::move(written));
    pump();
  }
  void close() override {
    if (!open_) return;
    open_ = false;
    outgoing_.clear();
    events_ = {};
    if (auto p = peer_.lock()) p->peer_closed("closed by peer", own_);
  }
  bool nobody_listens() const override { return nobody_listens_; }
  std::size_t unsent_bytes() const override { return 0; }
  endpoint peer() const override { return remote_; }
  pid_t peer_pid() const override { return 0; }

  void connect_to(const std::shared_ptr<sim_connection>& other, std::uint64_t stream, bool local) {
    peer_ = other;
    stream_ = stream;
    local_ = local;
  }
  void open(connection_events e) {
    events_ = std::move(e);
    open_ = true;
  }
  void established() {
    if (open_ && events_.up) events_.up();
  }
  void refused(const std::string& why) { fail(why); }
  void no_listener() {
    nobody_listens_ = true;
    fail("cannot connect: connection refused");
  }
  const std::string& own() const { return own_; }
  /// Starts what had to wait for a cut to heal.
  void pump() {
    if (open_ && orphaned_by_ && !net_.is_cut(*orphaned_by_, own_)) {
      const auto who = *std::exchange(orphaned_by_, std::nullopt);
      peer_closed("closed by peer", who);
    }
    auto p = peer_.lock();
    if (!open_ || !p || net_.is_cut(own_, p->own_)) return;
    for (; !outgoing_.empty(); outgoing_.pop_front()) {
      const auto& way = net_.path(own_, p->own_);
      auto& next = outgoing_.front();
      line_free_ = std::max(line_free_, net_.loop_.now());
      if (way.bytes_per_second > 0)
        line_free_ +=
            duration(static_cast<std::int64_t>(1e9 * static_cast<double>(next.packet->size()) /
                                               static_cast<double>(way.bytes_per_second)));
      // a stream keeps its order: nothing arrives before what was sent earlier
      last_arrival_ = std::max(last_arrival_, line_free_ + net_.draw(way));
      while (!flying_.empty() && !net_.flights_.contains(flying_.front())) flying_.pop_front();
      flying_.push_back(net_.flights_.put({.sent = net_.loop_.now(),
                                           .at = last_arrival_,
                                           .from = own_,
                                           .to = peer_,
                                           .packet = std::move(next.packet),
                                           .along = std::move(next.along)}));
      net_.plan_landing(flying_.back(), last_arrival_);
    }
  }
  /// The way is good again: what is sent again from now on arrives. Whether a try is lost was drawn when the packet was
  /// first sent, so a packet with a late one would still be late, for seconds.
  void hurry() {
    auto p = peer_.lock();
    if (!open_ || !p || net_.path(own_, p->own_).loss > 0) return;
    const auto now = net_.loop_.now();
    auto last = now;
    for (const auto number : flying_) {
      auto* x = net_.flights_.find(number);
      if (!x) continue;
      auto next = x->sent;
      for (duration again = first_retry; next < now; again *= 2) next += again;
      last = std::max(last, std::min(x->at, next + net_.draw(net_.path(own_, p->own_))));
      if (last >= x->at) continue;
      x->at = last;
      net_.plan_landing(number, last);
    }
    last_arrival_ = std::min(last_arrival_, last);
  }
  bool listens() const { return open_ && events_.packet; }
  void arrive(sim_switch::flight x) {
    if (net_.tap_) net_.tap_({x.from, own_, local_, stream_, *x.packet});
    if (x.along && events_.along) events_.along(std::move(x.along));
    if (events_.packet) events_.packet(std::move(x.packet));
  }
  void fail(const std::string& why) {
    if (!open_) return;
    open_ = false;
    outgoing_.clear();
    auto down = std::exchange(events_, {}).down;
    if (down) down({.text = why});
  }
  /// Nobody learns through a cut that the other end has closed.
  void peer_closed(const std::string& why, const std::string& by) {
    if (!open_) return;
    if (net_.is_cut(by, own_)) {
      orphaned_by_ = by;
      return;
    }
    const auto at = std::max(last_arrival_, net_.loop_.now() + net_.draw(net_.path(by, own_)));
    net_.loop_.after(at - net_.loop_.now(), [weak = weak_from_this(), why] {
      if (auto c = weak.lock()) c->fail(why);
    });
  }
  std::string peer_host() const {
    auto p = peer_.lock();
    return p ? p->own_ : std::string();
  }
  /// Ends here, and the other side is not told.
  void lose(const std::string& why) {
    peer_.reset();
    fail(why);
  }
  /// The host is gone: no word to our own side.
  void vanish() {
    if (!open_) return;
    events_ = {};
    close();
  }

 private:
  sim_switch& net_;
  std::string own_;
  endpoint remote_;
  std::weak_ptr<sim_connection> peer_;
  bool open_ = false;
  connection_events events_;
  std::deque<sent_packet> outgoing_;
  std::deque<std::uint64_t> flying_;  ///< by their numbers, in the order of their arrival
  time_point last_arrival_{};
  time_point line_free_{};
  std::optional<std::string>
      orphaned_by_;  ///< the host at the other end has closed, and is cut off
  std::uint64_t stream_ = 0;
  bool local_ = false;
  bool nobody_listens_ = false;
};

class sim_listener final : public listener {
 public:
  sim_listener(std::function<void()> closed, endpoint e)
      : closed_(std::move(closed)), where_(std::move(e)) {}
  ~sim_listener() override { closed_(); }
  endpoint where() const override { return where_; }

 private:
  std::function<void()> closed_;
  endpoint where_;
};

class sim_host final : public network {
 public:
  sim_host(sim_switch& net, std::string ip) : net_(net), ip_(std::move(ip)) {}

  std::expected<std::unique_ptr<listener>, std::string> listen(const endpoint& e,
                                                               stream_limits limits,
                                                               accept_fn accept) override {
    return add(to_string(e), e, limits, std::move(accept));
  }
  std::expected<std::unique_ptr<listener>, std::string> listen_local(const std::string& path,
                                                                     stream_limits limits,
                                                                     accept_fn accept) override {
    return add(path, {}, limits, std::move(accept));
  }
  std::shared_ptr<connection> connect(const endpoint& from, const endpoint& to, stream_limits,
                                      connection_events events) override {
    return net_.join(from.ip, to_string(to), false, std::move(events));
  }
  std::shared_ptr<connection> connect_local(const std::string& path, stream_limits,
                                            connection_events events) override {
    return net_.join(ip_, path, true, std::move(events));
  }

 private:
  std::expected<std::unique_ptr<listener>, std::string> add(const std::string& name,
                                                            const endpoint& e, stream_limits limits,
                                                            accept_fn accept) {
    if (net_.ports_.contains(name))
      return std::unexpected("cannot listen on " + name + ": address in use");
    net_.ports_[name] = {ip_, std::move(accept), limits};
    return std::make_unique<sim_listener>([&net = net_, name] { net.ports_.erase(name); }, e);
  }
  sim_switch& net_;
  std::string ip_;
};

std::unique_ptr<network> sim_switch::attach(const std::string& ip) {
  return std::make_unique<sim_host>(*this, ip);
}

void sim_switch::plan_landing(std::uint64_t number, time_point at) {
  loop_.after(at - loop_.now(), [this, number] { land(number); });
}

/// Nothing if it has landed earlier than was planned first.
void sim_switch::land(std::uint64_t number) {
  auto x = flights_.take(number);
  if (!x) return;
  if (auto c = x->to.lock(); c && c->listens()) c->arrive(std::move(*x));
}

const sim_path& sim_switch::path(const std::string& from, const std::string& to) const {
  if (paths_.empty()) return usual_;
  const auto i = paths_.find({from, to});
  return i == paths_.end() ? usual_ : i->second;
}

duration sim_switch::draw(const sim_path& p) {
  const auto span = (p.longest - p.shortest).count();
  auto d = p.shortest;
  if (span > 0)
    d += duration(static_cast<std::int64_t>(loop_.chance()() % static_cast<std::uint64_t>(span)));
  if (p.loss > 0) {
    duration again = first_retry;
    for (int tries = 0;
         tries < 8 && static_cast<double>(loop_.chance()() % 1'000'000) < p.loss * 1e6; ++tries) {
      d += again;
      again *= 2;
    }
  }
  return d;
}

std::shared_ptr<sim_connection> sim_switch::join(const std::string& from, const std::string& name,
                                                 bool local, connection_events events) {
  const auto target = ports_.find(name);
  const std::string to = target == ports_.end() ? std::string() : target->second.ip;
  auto near = std::make_shared<sim_connection>(*this, from, local ? endpoint{} : endpoint{to, 0});
  near->open(std::move(events));
  streams_.remove_if([](const auto& w) { return w.expired(); });
  streams_.push_back(near);
  loop_.after(draw(usual_), [this, from, name, local, weak = std::weak_ptr(near)] {
    auto near_end = weak.lock();
    if (!near_end) return;
    const auto port = ports_.find(name);
    if (port == ports_.end()) return near_end->no_listener();
    if (!local && (is_cut(from, port->second.ip) || is_cut(port->second.ip, from)))
      return;  // the caller's own patience ends this
    auto far = std::make_shared<sim_connection>(*this, port->second.ip,
                                                local ? endpoint{} : endpoint{from, ++last_port_});
    far->connect_to(near_end, ++last_stream_, local);
    auto accepted = port->second.accept(far);
    if (!accepted) return near_end->refused("closed by peer");
    far->open(std::move(*accepted));
    near_end->connect_to(far, last_stream_, local);
    streams_.push_back(far);
    near_end->established();
    near_end->pump();
  });
  return near;
}

void sim_switch::reset_paths() {
  paths_.clear();
  for (auto& w : std::list(streams_))
    if (auto c = w.lock()) c->hurry();
}

void sim_switch::cut_one_way(const std::string& a, const std::string& b) { cuts_.emplace(a, b); }

void sim_switch::heal() {
  cuts_.clear();
  resume_streams();
}

void sim_switch::heal(const std::string& a, const std::string& b) {
  cuts_.erase({a, b});
  cuts_.erase({b, a});
  resume_streams();
}

void sim_switch::resume_streams() {
  for (auto& w : std::list(streams_))
    if (auto c = w.lock()) c->pump();
}

void sim_switch::forget_streams(const std::string& a, const std::string& b) {
  for (auto& w : std::list(streams_))
    if (auto c = w.lock(); c && c->own() == a && c->peer_host() == b) c->lose("reset");
}

void sim_switch::reset_streams(const std::string& a, const std::string& b) {
  std::vector<std::shared_ptr<sim_connection>> ends;  // each before any of them forgets its peer
  for (auto& w : streams_)
    if (auto c = w.lock();
        c && ((c->own() == a && c->peer_host() == b) || (c->own() == b && c->peer_host() == a)))
      ends.push_back(c);
  for (auto& c : ends) c->lose("reset");
}

void sim_switch::kill(const std::string& ip) {
  std::erase_if(ports_, [&](const auto& p) { return p.second.ip == ip; });
  for (auto& w : std::list(streams_))
    if (auto c = w.lock(); c && c->own() == ip) c->vanish();
}

}  // namespace floe
