#pragma once
/// What the program's exit status means; scripts rely on it.
namespace floe::cli {

enum exit_code : int {
  done = 0,
  failed = 1,
  wrong_use = 2,
  no_node = 3,  ///< no node listens on the socket, or the wanted node is not connected
  says_no = 4,  ///< the answer to the question is no: not healthy, a deadlock
  timed_out = 5,
};

}  // namespace floe::cli
