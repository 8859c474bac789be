#pragma once
/// One client on the Unix socket. Reads its packets, passes them to the node, sends what others answer. A packet
/// that cannot be understood costs the client its connection and us one log line.
#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"
#include "actors/session/session_message.hpp"

namespace floe {

class session final : public actor<session_message> {
 public:
  /// `most_queued`: a message that is to be queued behind more packets than this ends the connection.
  session(node_environment env, std::uint64_t id, std::shared_ptr<connection> stream,
          address<node_message> node, std::shared_ptr<const std::uint32_t> most_queued);
  void start() override;
  void receive(session_message&) override;

 private:
  void on(session_packet&);
  void on(session_closed&);
  void on(session_send&);
  void on(session_kick&);
  void finish();

  node_environment env_;
  std::shared_ptr<connection> stream_;
  address<node_message> node_;
  client_ref me_;
  std::shared_ptr<const std::uint32_t> most_queued_;
  /// Packets that the stream has not handed on yet; shared with those, which may outlive us.
  const std::shared_ptr<std::uint64_t> queued_ = std::make_shared<std::uint64_t>(0);
};

/// The command name of a process, for people; "?" if it cannot be read.
std::string process_name(pid_t);

}  // namespace floe
