#include "connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace floe::bench {
namespace {

constexpr std::uint32_t magic = 0x43544442;
constexpr std::uint32_t current_node = 0xF0000001;
constexpr std::uint32_t req_call = 0, reply_call = 1, req_message = 5, req_control = 7,
                        reply_control = 8;
constexpr std::uint32_t register_srvid = 23, get_pnn = 35;
constexpr std::uint32_t call_null = 0xFF000001, immediate_migration = 1;
constexpr std::size_t header_bytes = 32;

void write_all(int fd, std::span<const std::byte> data) {
  while (!data.empty()) {
    const auto n = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) give_up("the node hung up while we wrote");
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_ctdb_client: %s\n", why.c_str());
  std::_Exit(1);
}

void put(bytes& to, std::span<const std::byte> raw) { to.insert(to.end(), raw.begin(), raw.end()); }
void put(bytes& to, std::string_view text) { put(to, std::as_bytes(std::span{text})); }

connection::connection(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path))
    give_up("too long for a socket: " + socket_path);
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 ||
      ::connect(socket_, static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                sizeof(address)) != 0) {
    give_up("no node at " + socket_path);
  }
}

void connection::read_all(std::span<std::byte> data) {
  while (!data.empty()) {
    iovec part{data.data(), data.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
    msghdr m{};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    const auto n = ::recvmsg(socket_, &m, MSG_CMSG_CLOEXEC);
    if (n <= 0) give_up("the node hung up while we read");
    for (auto* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
      if (c->cmsg_type != SCM_RIGHTS) continue;
      std::vector<int> fds((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
      std::memcpy(fds.data(), CMSG_DATA(c), fds.size() * sizeof(int));
      descriptors_.insert(descriptors_.end(), fds.begin(), fds.end());
    }
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

connection::~connection() { ::close(socket_); }

void connection::send(std::uint32_t operation, std::span<const std::byte> body, std::uint32_t to) {
  const std::size_t padding = (8 - body.size() % 8) % 8;
  bytes whole;
  whole.reserve(header_bytes + body.size() + padding);
  for (const std::uint32_t field :
       {static_cast<std::uint32_t>(header_bytes + body.size() + padding), magic, 1u, 0u, operation,
        to, 0u, ++last_request_}) {
    put(whole, field);
  }
  put(whole, body);
  whole.resize(whole.size() + padding);
  write_all(socket_, whole);
}

connection::packet connection::receive() {
  bytes header(header_bytes);
  read_all(header);
  const auto length = get<std::uint32_t>(header, 0);
  if (length < header_bytes || get<std::uint32_t>(header, 4) != magic)
    give_up("an answer is no CTDB packet");
  packet result{get<std::uint32_t>(header, 16), get<std::uint32_t>(header, 28),
                bytes(length - header_bytes)};
  read_all(result.body);
  return result;
}

/// Passes over messages that nobody asked for.
connection::packet connection::answer(std::uint32_t operation) {
  for (;;) {
    auto got = receive();
    if (got.operation == operation && got.request == last_request_) return got;
  }
}

connection::reply connection::control(std::uint32_t opcode, std::span<const std::byte> data) {
  return control(opcode, 0, data);
}

connection::reply connection::control(std::uint32_t opcode, std::uint64_t srvid,
                                      std::span<const std::byte> data) {
  bytes body;
  put(body, opcode);
  put(body, std::uint32_t{0});
  put(body, srvid);
  put(body, std::uint32_t{0});  // client id
  put(body, std::uint32_t{0});  // flags
  put(body, static_cast<std::uint32_t>(data.size()));
  put(body, data);
  send(req_control, body, current_node);

  const auto got = answer(reply_control);
  const auto size = get<std::uint32_t>(got.body, 4);
  if (12 + std::size_t{size} > got.body.size()) give_up("an answer is too short");
  const auto begin = got.body.begin() + 12;
  return {get<std::int32_t>(got.body, 0), bytes(begin, begin + size)};
}

bytes connection::must(std::uint32_t opcode, std::span<const std::byte> data) {
  auto [status, answer] = control(opcode, data);
  if (status < 0)
    give_up("control " + std::to_string(opcode) + " failed: " + std::to_string(status));
  return std::move(answer);
}

std::uint32_t connection::pnn() {
  if (pnn_ == 0xFFFFFFFF) pnn_ = static_cast<std::uint32_t>(control(get_pnn, {}).status);
  return pnn_;
}

void connection::subscribe(std::uint64_t srvid) {
  if (control(register_srvid, srvid, {}).status != 0) give_up("no messages");
  (void)pnn();
}

void connection::message(std::uint32_t to, std::uint64_t srvid, std::string_view data) {
  bytes body;
  put(body, srvid);
  put(body, static_cast<std::uint32_t>(data.size()));
  put(body, data);
  send(req_message, body, to);
}

void connection::receive_message(std::uint64_t srvid) {
  const auto got = receive();
  if (got.operation != req_message || get<std::uint64_t>(got.body, 0) != srvid)
    give_up("something else than a message came");
}

void connection::migrate(std::uint32_t db_id, std::string_view key, bool read_only) {
  constexpr std::uint32_t want_readonly = 4;
  bytes body;
  put(body, immediate_migration | (read_only ? want_readonly : 0));
  put(body, db_id);
  put(body, call_null);
  put(body, std::uint32_t{0});  // hops
  put(body, static_cast<std::uint32_t>(key.size()));
  put(body, std::uint32_t{0});  // no call data
  put(body, key);
  send(req_call, body, current_node);
  answer(reply_call);
}

}  // namespace floe::bench
