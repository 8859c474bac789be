#include "tests/client/fake_node.hpp"

namespace floe::test {

fake_node::fake_node(sim_switch& net, answer_function answer)
    : net_(net.attach("host")), answer_(std::move(answer)) {
  open();
}

void fake_node::open() {
  auto l = net_->listen_local(
      socket, {.between_nodes = false}, [this](const std::shared_ptr<floe::connection>& c) {
        streams_.push_back(c);
        return connection_events{
            .up = nullptr,
            .packet =
                [this, weak = std::weak_ptr(c)](frame f) {
                  if (auto stream = weak.lock()) receive(stream, f);
                },
            .down = [this, weak = std::weak_ptr(c)](
                        const close_reason&) { std::erase(streams_, weak.lock()); }};
      });
  listener_ = std::move(*l);
}

void fake_node::close() {
  listener_.reset();
  for (auto& s : streams_) s->close();
  streams_.clear();
}

int fake_node::count(control c) const {
  const auto i = counts_.find(number(c));
  return i == counts_.end() ? 0 : i->second;
}

void fake_node::receive(const std::shared_ptr<floe::connection>& stream, const frame& f) {
  const auto p = decode_packet(*f);
  if (!p) return;
  if (const auto* c = std::get_if<req_control>(&p->body)) ++counts_[number(c->opcode)];
  if (auto body = answer_(*p))
    stream->send(
        std::make_shared<const bytes>(encode_packet({.src = pnn{0}, .id = p->header.id}, *body)));
}

void fake_node::push(const packet_body& body, reqid id) {
  for (auto& s : streams_) s->send(std::make_shared<const bytes>(encode_packet({.id = id}, body)));
}

void fake_node::push_raw(bytes b) {
  const auto f = std::make_shared<const bytes>(std::move(b));
  for (auto& stream : streams_) stream->send(f);
}

fake_node::answer_function polite(std::uint32_t pnn) {
  return [pnn](const packet& p) -> std::optional<packet_body> {
    const auto* c = std::get_if<req_control>(&p.body);
    if (!c) return std::nullopt;
    return reply_control{
        .status = c->opcode == control::get_pnn ? static_cast<std::int32_t>(pnn) : 0,
        .data = {},
        .error = {}};
  };
}

}  // namespace floe::test
