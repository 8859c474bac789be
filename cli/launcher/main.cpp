/// What is installed as `floe`. It answers `floe health` by itself, when that is one question to the node of this machine and one
/// answer: a probe asks every second, and what the program loads at its start costs many times that. Everything else, and all that
/// goes wrong, is the program's, which takes the place of this process (libdir/floe/floe).
///
/// Links with nothing but what it needs for that.
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/config/places.hpp"
#include "cli/exit_code.hpp"
#include "cli/health_checks.hpp"
#include "cli/output.hpp"
#include "cli/standard_streams.hpp"
#include "protocol/constants.hpp"
#include "protocol/framing.hpp"
#include "protocol/packet.hpp"
#include "protocol/types/basic.hpp"

namespace {

using namespace floe;

struct question {
  std::string base, socket, database;
  bool json = false;
};

/// What is as simple as a probe has it; on a terminal it is not, since tables are fitted to it.
std::optional<question> simple_question(int argc, char** argv) {
  question q;
  if (const char* base = std::getenv("CTDB_BASE")) q.base = base;
  bool health = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    auto* value = word == "--base"     ? &q.base
                  : word == "--socket" ? &q.socket
                  : word == "--db"     ? &q.database
                                       : nullptr;
    if (value && i + 1 < argc && *argv[i + 1] != '-')
      *value = argv[++i];
    else if (word == "--json")
      q.json = true;
    else if (word == "health" && !health)
      health = true;
    else
      return std::nullopt;
  }
  if (!health || ::isatty(STDOUT_FILENO) == 1) return std::nullopt;
  return q;
}

/// Closed at the end of the scope.
class socket_of_node {
 public:
  explicit socket_of_node(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (path.size() >= sizeof to.sun_path) return;
    std::memcpy(to.sun_path, path.data(), path.size());
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    constexpr ::timeval patience{1, 0};
    for (const int what : {SO_RCVTIMEO, SO_SNDTIMEO})
      ::setsockopt(fd_, SOL_SOCKET, what, &patience, sizeof patience);
    good_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~socket_of_node() {
    if (fd_ >= 0) ::close(fd_);
  }
  socket_of_node(const socket_of_node&) = delete;
  socket_of_node& operator=(const socket_of_node&) = delete;

  bool send(byte_view all) const {
    while (good_ && !all.empty()) {
      const auto n = ::send(fd_, all.data(), all.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      all.remove_prefix(static_cast<std::size_t>(n));
    }
    return good_;
  }
  std::size_t receive(std::span<char> room) const {
    const auto n = ::recv(fd_, room.data(), room.size(), 0);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }

 private:
  int fd_ = -1;
  bool good_ = false;
};

std::optional<std::string> report_from(const socket_of_node& node) {
  constexpr reqid mine{1};
  const auto options = encode_request<control::get_node_status>({cli::only_health});
  if (!node.send(encode_packet(
          {.gen = generation{0}, .dest = pnn::current, .src = pnn::unknown, .id = mine},
          req_control{.opcode = control::get_node_status, .data = options})))
    return std::nullopt;
  framer in(framing_policy::client());
  for (;;) {
    const auto n = node.receive(in.prepare());
    if (n == 0) return std::nullopt;
    in.commit(n);
    const auto whole = in.next();
    if (!whole) return std::nullopt;
    if (!*whole) continue;
    const auto p = decode_packet(***whole);
    const auto* reply = p ? std::get_if<reply_control>(&p->body) : nullptr;
    if (!reply || p->header.id != mine || reply->status != 0) return std::nullopt;
    const auto text = decode_reply<control::get_node_status>(reply->data);
    return text ? std::optional(std::string(text->value)) : std::nullopt;
  }
}

/// The exit status; nothing: the program knows what to say.
std::optional<int> answer(const question& q) {
  const auto socket = q.socket.empty() ? cli::places_of(q.base).socket : q.socket;
  const auto report = report_from(socket_of_node(socket));
  const auto health = report ? cli::health_in(*report, q.database) : std::unexpected(std::string());
  if (!health) return std::nullopt;
  cli::print_health(*health, q.json);
  if (!cli::flush_output() && cli::output_error() != EPIPE) {
    std::fprintf(stderr, "floe: standard output: %s\n", std::strerror(cli::output_error()));
    return cli::failed;
  }
  return health->good() ? cli::done : cli::says_no;
}

int become_the_program(char** argv) {
  std::string here(4096, '\0');
  const auto n = ::readlink("/proc/self/exe", here.data(), here.size());
  here.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  here.resize(here.rfind('/') + 1);
  // FLOE_PROGRAM_FROM_BIN: from the folder of installed programs, as meson was told; in a build directory it is one above
  for (const auto* place : {FLOE_PROGRAM_FROM_BIN, "../floe"})
    ::execv((here + place).c_str(), argv);
  std::fprintf(stderr, "floe: the program %s%s cannot be run: %s\n", here.c_str(),
               FLOE_PROGRAM_FROM_BIN, std::strerror(errno));
  return cli::failed;
}

}  // namespace

int main(int argc, char** argv) {
  cli::keep_standard_streams();
  if (const auto asked = simple_question(argc, argv))
    if (const auto status = answer(*asked)) return *status;
  return become_the_program(argv);
}
