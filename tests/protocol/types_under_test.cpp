#include "tests/protocol/types_under_test.hpp"

#include "protocol/controls.hpp"
#include "protocol/messages.hpp"
#include "protocol/packet.hpp"
#include "protocol/types/all.hpp"

using namespace floe;

const std::map<std::string, const wire::type_info*>& types_under_test() {
  static const auto types = [] {
    std::map<std::string, const wire::type_info*> out;
    auto add = [&](const wire::type_info& t) { out.emplace(t.name, &t); };
    for (const auto& c : all_controls()) {
      add(*c.request);
      add(*c.reply);
    }
    for (const auto& m : all_messages()) add(*m.type);
    add(wire::codec<floe::timeval>::info());
    add(wire::codec<latency>::info());
    add(wire::codec<record_header>::info());
    add(wire::codec<node_and_flags>::info());
    add(wire::codec<dbid_and_flags>::info());
    add(wire::codec<lock_counts>::info());
    add(wire::codec<server_id>::info());
    add(wire::codec<g_lock>::info());
    add(wire::codec<g_lock_list>::info());
    return out;
  }();
  return types;
}
