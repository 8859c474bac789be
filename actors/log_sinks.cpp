#include "actors/log_sinks.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "actors/events.hpp"

namespace floe {
namespace {

int priority_of(spdlog::level::level_enum l) {
  if (l >= spdlog::level::err) return LOG_ERR;
  if (l == spdlog::level::warn) return LOG_WARNING;
  if (l == spdlog::level::info) return LOG_NOTICE;
  return LOG_DEBUG;
}

std::string time_text(spdlog::log_clock::time_point at, const char* form) {
  const std::time_t t = spdlog::log_clock::to_time_t(at);
  std::tm parts{};
  ::localtime_r(&t, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

class datagram_sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  datagram_sink(int fd, log_target::kind form, std::string who)
      : fd_(fd), form_(form), who_(std::move(who)) {}
  ~datagram_sink() override { ::close(fd_); }

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    if (lost_ > 0 &&
        send(LOG_WARNING, m.time, fmt::format("{} lines were lost before this one", lost_)))
      lost_ = 0;
    if (!send(priority_of(m.level), m.time, {m.payload.data(), m.payload.size()})) ++lost_;
  }
  void flush_() override {}

  bool send(int priority, spdlog::log_clock::time_point at, std::string_view line) {
    const int code = LOG_DAEMON | priority;
    const auto packet = form_ == log_target::kind::syslog_udp_rfc5424
                            ? fmt::format("<{}>1 {} {} ctdbd {} - - {}: {}", code,
                                          time_text(at, "%Y-%m-%dT%H:%M:%S%z").insert(22, ":"),
                                          host(), ::getpid(), who_, line)
                            : fmt::format("<{}>{} ctdbd[{}]: {}: {}", code,
                                          time_text(at, "%b %e %H:%M:%S"), ::getpid(), who_, line);
    return ::send(fd_, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  }
  static std::string host() {
    char name[256] = "-";
    ::gethostname(name, sizeof name - 1);
    return name;
  }

  int fd_;
  log_target::kind form_;
  std::string who_;
  std::uint64_t lost_ = 0;
};

/// Not connected to a daemon that may come later: a socket that exists, or the reason why there is none.
int open_socket(log_target::kind form) {
  const bool local = form == log_target::kind::syslog_nonblocking;
  const int fd = ::socket(local ? AF_UNIX : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  sockaddr_un dev{};
  dev.sun_family = AF_UNIX;
  std::strcpy(dev.sun_path, "/dev/log");
  sockaddr_in udp{};
  udp.sin_family = AF_INET;
  udp.sin_port = htons(514);
  udp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connected = local ? ::connect(fd, reinterpret_cast<const sockaddr*>(&dev), sizeof dev)
                              : ::connect(fd, reinterpret_cast<const sockaddr*>(&udp), sizeof udp);
  if (connected == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

class journal final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit journal(std::string who) : who_(std::move(who)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    const std::string line(m.payload.data(), m.payload.size());
    std::vector<std::string> fields{"MESSAGE=" + line,
                                    fmt::format("PRIORITY={}", priority_of(m.level)),
                                    "SYSLOG_IDENTIFIER=ctdbd", "FLOE_NODE=" + who_};
    for (auto& f : journal_fields(line)) fields.push_back(std::move(f));
    std::vector<iovec> parts;
    for (auto& f : fields) parts.push_back({f.data(), f.size()});
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
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
  std::vector<std::string> fields{"FLOE_EVENT=" + std::string(name(*e))};
  if (!e->db.empty()) fields.push_back("FLOE_DB=" + e->db);
  each_field(*e, [&](const event_field& f) {
    fields.push_back(field_name(f.name) + "=" + std::string(f.value));
  });
  return fields;
}

std::expected<spdlog::sink_ptr, std::string> datagram_syslog(log_target::kind form,
                                                             const std::string& who) {
  const int fd = open_socket(form);
  if (fd < 0) return std::unexpected(std::string("no socket to syslog: ") + std::strerror(errno));
  return std::make_shared<datagram_sink>(fd, form, who);
}

spdlog::sink_ptr journal_sink(const std::string& who) { return std::make_shared<journal>(who); }

}  // namespace floe
