#pragma once
/// The small HTTP server of a node: `/metrics` for Prometheus, `/livez` and `/readyz?verbose` for probes. It runs on the
/// node's loop and never waits there: the node is asked by a message, text is made on another thread, and a question that
/// is not answered within five seconds gets 503. At most 16 connections; who says nothing for ten seconds is cut off.
///
///     /livez    200: the loop turns and the node itself answers
///     /readyz   200: every check of health.hpp holds; 503: what does not
#include <memory>
#include <string>

#include "actors/node/node_message.hpp"
#include "cli/metrics/listen_place.hpp"

namespace floe::cli {

class endpoint {
 public:
  endpoint(event_loop&, address<node_message>, pnn self);
  ~endpoint();
  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;

  /// Begins to serve. Empty, or why it cannot; `where` becomes what it listens at.
  std::string open(listen_place& where);

 private:
  class server;
  event_loop& loop_;
  address<node_message> node_;
  pnn self_;
  std::unique_ptr<server> server_;
};

}  // namespace floe::cli
