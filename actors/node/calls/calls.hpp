#pragma once
/// Controls that this node sends to others, for its clients and its own actors: request numbers, deadlines, and an
/// answer for each, exactly once. An answer that does not come has a cause: the node is not connected, its connection
/// broke, or it did not answer in time.
#include <cstdint>
#include <unordered_map>

#include "actors/node/control_table.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class calls {
 public:
  /// Controls to ourselves are carried out by `own`, as if they had come in a packet.
  calls(node_port& port, const control_table& own) : port_(port), own_(own) {}

  /// To another node. With the flag `noreply` nobody waits.
  void send(pnn to, const req_control&, duration patience, replier);
  void tell(pnn to, const req_control&);
  /// To any node, ourselves included.
  void send(call_control&);
  /// To every node that the address means; nobody waits.
  void broadcast(pnn to, const req_control&);

  template <control C>
  void ask(pnn to, const request_of<C>& request, duration patience, replier answer) {
    send(to, {.opcode = C, .data = encode_request<C>(request)}, patience, std::move(answer));
  }

  void answered(pnn from, reqid, const reply_control&);
  void expired(reqid);
  void lost(pnn);
  void give_all_up();
  std::size_t outstanding() const { return open_.size(); }

 private:
  struct entry {
    pnn to{0};
    control opcode{};
    replier answer;
    timer_id deadline{0};
  };
  void to_ourselves(call_control&);

  node_port& port_;
  const control_table& own_;
  std::unordered_map<std::uint32_t, entry> open_;
};

}  // namespace floe
