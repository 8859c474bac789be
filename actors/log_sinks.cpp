#include "actors/log_sinks.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "actors/events.hpp"
#include "actors/message_id.hpp"

namespace floe {
namespace {

/// spdlog has no NOTICE: log.cpp maps ours to its info, and what is below to what is one lower.
int priority_of(spdlog::level::level_enum l) {
  if (l >= spdlog::level::err) return LOG_ERR;
  if (l == spdlog::level::warn) return LOG_WARNING;
  if (l == spdlog::level::info) return LOG_NOTICE;
  return l == spdlog::level::debug ? LOG_INFO : LOG_DEBUG;
}

std::string time_text(spdlog::log_clock::time_point at, const char* form) {
  const std::time_t t = spdlog::log_clock::to_time_t(at);
  std::tm parts{};
  ::localtime_r(&t, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

/// Where the daemon of this place listens.
struct place {
  sockaddr_storage at{};
  socklen_t size = 0;
};
place local(std::string_view path) {
  place p;
  auto& a = reinterpret_cast<sockaddr_un&>(p.at);
  a.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), a.sun_path);
  p.size = sizeof a;
  return p;
}
place place_of(log_target::kind form) {
  if (form == log_target::kind::syslog_nonblocking) return local("/dev/log");
  if (form == log_target::kind::journal) return local("/run/systemd/journal/socket");
  place p;
  auto& a = reinterpret_cast<sockaddr_in&>(p.at);
  a.sin_family = AF_INET;
  a.sin_port = htons(514);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  p.size = sizeof a;
  return p;
}

/// A socket that is connected to the daemon; -1 and errno: there is none.
int open_socket(log_target::kind form) {
  const auto to = place_of(form);
  const int fd = ::socket(to.at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to.at), to.size) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

/// How long a line waits for a daemon that is behind, where it may wait at all.
constexpr int patience_ms = 20;

/// A line is one datagram. A daemon that hangs does not stop a node: the line is sent at once, or, to the journal, after
/// a moment, or is lost; after one that was lost the next do not wait.
class datagram_sink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  datagram_sink(int fd, log_target::kind form) : fd_(fd), form_(form) {}
  ~datagram_sink() override { ::close(fd_); }

 protected:
  virtual std::string packet(int priority, spdlog::log_clock::time_point,
                             std::string_view line) const = 0;

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    if (lost_ > 0 &&
        send(packet(LOG_WARNING, m.time, fmt::format("{} lines were lost before this one", lost_))))
      lost_ = 0;
    if (!send(packet(priority_of(m.level), m.time, {m.payload.data(), m.payload.size()}))) ++lost_;
  }
  void flush_() override {}

  bool send(std::string_view packet) {
    return put(packet) || (gone() && open_again() && put(packet)) ||
           (errno == EAGAIN && lost_ == 0 && form_ == log_target::kind::journal && has_room() &&
            put(packet));
  }
  bool has_room() const {
    pollfd one{fd_, POLLOUT, 0};
    return ::poll(&one, 1, patience_ms) == 1;
  }
  bool put(std::string_view packet) const {
    return ::send(fd_, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  }
  /// The daemon at the other end of a local socket has ended; its successor has a socket of its own.
  static bool gone() { return errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET; }
  bool open_again() {
    const int fresh = open_socket(form_);
    if (fresh < 0) return false;
    ::close(fd_);
    fd_ = fresh;
    return true;
  }

  int fd_;
  log_target::kind form_;
  std::uint64_t lost_ = 0;
};

class syslog_packets final : public datagram_sink {
 public:
  syslog_packets(int fd, log_target::kind form, std::string who)
      : datagram_sink(fd, form),
        rfc5424_(form == log_target::kind::syslog_udp_rfc5424),
        who_(std::move(who)) {}

 private:
  std::string packet(int priority, spdlog::log_clock::time_point at,
                     std::string_view line) const override {
    const int code = LOG_DAEMON | priority;
    return rfc5424_ ? fmt::format("<{}>1 {} {} ctdbd {} - - {}: {}", code,
                                  time_text(at, "%Y-%m-%dT%H:%M:%S%z").insert(22, ":"), host(),
                                  ::getpid(), who_, line)
                    : fmt::format("<{}>{} ctdbd[{}]: {}: {}", code, time_text(at, "%b %e %H:%M:%S"),
                                  ::getpid(), who_, line);
  }
  static std::string host() {
    char name[256] = "-";
    ::gethostname(name, sizeof name - 1);
    return name;
  }

  bool rfc5424_;
  std::string who_;
};

/// The journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): `NAME=value` lines in a datagram. libsystemd's function
/// would wait for a journal that hangs. No value of ours has an end of a line in it.
class journal_packets final : public datagram_sink {
 public:
  journal_packets(int fd, std::string who)
      : datagram_sink(fd, log_target::kind::journal), who_(std::move(who)) {}

 private:
  std::string packet(int priority, spdlog::log_clock::time_point,
                     std::string_view line) const override {
    constexpr std::size_t most = 100'000;  // a datagram has a limit: of a longer line its beginning
    auto p = fmt::format("MESSAGE={}\nPRIORITY={}\nSYSLOG_IDENTIFIER=ctdbd\nFLOE_NODE={}\n",
                         line.substr(0, most), priority, who_);
    if (line.size() <= most / 2)
      for (const auto& field : journal_fields(line)) p += field + "\n";
    return p;
  }

  std::string who_;
};

/// By the system's own function: it waits for the daemon, and finds one that was started anew.
class system_log final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit system_log(std::string who) : who_(std::move(who)) {
    ::openlog("ctdbd", LOG_PID, LOG_DAEMON);
  }
  ~system_log() override { ::closelog(); }

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    ::syslog(priority_of(m.level), "%s: %.*s", who_.c_str(), static_cast<int>(m.payload.size()),
             m.payload.data());
  }
  void flush_() override {}

  std::string who_;
};

/// A field's name in the journal: capitals, digits and underscores.
std::string field_name(std::string_view key) {
  std::string name = "FLOE_";
  for (const char c : key) {
    const bool letter = c >= 'a' && c <= 'z',
               good = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += letter ? static_cast<char>(c - 'a' + 'A') : good ? c : '_';
  }
  return name;
}

}  // namespace

std::vector<std::string> journal_fields(std::string_view line) {
  const auto e = parse_event(line);
  if (!e) return {};
  std::vector<std::string> fields{"MESSAGE_ID=" + message_id(name(*e)),
                                  "FLOE_EVENT=" + std::string(name(*e))};
  if (!e->db.empty()) fields.push_back("FLOE_DB=" + e->db);
  each_field(*e, [&](const event_field& f) {
    fields.push_back(field_name(f.name) + "=" + std::string(f.value));
  });
  return fields;
}

std::expected<spdlog::sink_ptr, std::string> datagram_log(log_target::kind form,
                                                          const std::string& who) {
  const int fd = open_socket(form);
  if (fd < 0) return std::unexpected(std::string("nobody listens there: ") + std::strerror(errno));
  if (form == log_target::kind::journal) return std::make_shared<journal_packets>(fd, who);
  return std::make_shared<syslog_packets>(fd, form, who);
}

spdlog::sink_ptr syslog_sink(const std::string& who) { return std::make_shared<system_log>(who); }

}  // namespace floe
