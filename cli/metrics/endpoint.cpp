#include "cli/metrics/endpoint.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "cli/metrics/exposition.hpp"
#include "cli/metrics/http_library.hpp"

namespace floe::cli {
namespace {

constexpr duration patience = std::chrono::seconds(5);
constexpr unsigned most_connections = 16, idle_seconds = 10, bytes_per_connection = 16 * 1024;

struct reply {
  unsigned status = MHD_HTTP_OK;
  const char* type = "text/plain; charset=utf-8";
  std::string text;
};

/// One request, from its first line until its answer has left.
struct exchange {
  MHD_Connection* connection = nullptr;
  std::string path;
  bool verbose = false;
  bool suspended = false;
  std::optional<reply> answer{};
};

}  // namespace

class endpoint::server {
 public:
  server(event_loop& loop, address<node_message> node, pnn self)
      : loop_(loop), node_(std::move(node)), self_(self) {}
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  std::string open(int fd, std::string path);

 private:
  static MHD_Result handle(void* self, MHD_Connection*, const char* path, const char* method,
                           const char* version, const char* body, std::size_t* body_size,
                           void** mine);
  static void completed(void* self, MHD_Connection*, void** mine, MHD_RequestTerminationCode);
  MHD_Result answer(MHD_Connection*, const reply&);
  void ask(const std::shared_ptr<exchange>&);
  void ask_figures_of_node(const std::shared_ptr<exchange>&);
  void finish(const std::weak_ptr<exchange>&, reply);
  void pump();

  event_loop& loop_;
  address<node_message> node_;
  pnn self_;
  const http_library* http_ = nullptr;
  MHD_Daemon* daemon_ = nullptr;
  int epoll_ = -1;
  timer_id timer_{0};
  std::string path_;  ///< of a Unix socket, removed at the end
  std::set<std::shared_ptr<exchange>> open_;
  std::shared_ptr<server*> here_ =
      std::make_shared<server*>(this);  ///< null when the server is gone
};

std::string endpoint::server::open(int fd, std::string path) {
  const auto loaded = load_http_library();
  if (!loaded) {
    ::close(fd);
    return loaded.error();
  }
  http_ = *loaded;
  daemon_ = http_->start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &handle, this,
      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, most_connections,
      MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      static_cast<std::size_t>(bytes_per_connection), MHD_OPTION_NOTIFY_COMPLETED, &completed, this,
      MHD_OPTION_END);
  if (!daemon_) {
    ::close(fd);
    return "the HTTP server does not start";
  }
  path_ = std::move(path);
  epoll_ = http_->get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  loop_.watch(epoll_, EPOLLIN, [this](std::uint32_t) { pump(); });
  return {};
}

endpoint::server::~server() {
  *here_ = nullptr;
  loop_.cancel(timer_);
  if (!daemon_) return;
  loop_.unwatch(epoll_);
  // the library ends only when nobody is suspended
  for (const auto& e : open_)
    if (std::exchange(e->suspended, false)) {
      e->answer = {.status = MHD_HTTP_SERVICE_UNAVAILABLE, .text = "the node ends\n"};
      http_->resume_connection(e->connection);
    }
  http_->stop_daemon(daemon_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

/// What is due now is done, and the loop comes back when the library wants it to.
void endpoint::server::pump() {
  loop_.cancel(timer_);
  http_->run(daemon_);
  if (MHD_UNSIGNED_LONG_LONG ms = 0; http_->get_timeout(daemon_, &ms) == MHD_YES)
    timer_ = loop_.after(std::chrono::milliseconds(ms), [this] { pump(); });
}

MHD_Result endpoint::server::handle(void* self, MHD_Connection* connection, const char* path,
                                    const char* method, const char*, const char*,
                                    std::size_t* body_size, void** mine) {
  auto& s = *static_cast<server*>(self);
  if (!*mine) {
    auto e = std::make_shared<exchange>(exchange{.connection = connection, .path = path});
    constexpr std::string_view verbose = "verbose";  // with a value or without
    const char* value = nullptr;
    std::size_t size = 0;
    e->verbose =
        s.http_->lookup_connection_value_n(connection, MHD_GET_ARGUMENT_KIND, verbose.data(),
                                           verbose.size(), &value, &size) == MHD_YES;
    s.open_.insert(e);
    *mine = e.get();
    return MHD_YES;
  }
  if (*body_size != 0) return MHD_NO;  // a question has no body
  const auto found = std::ranges::find_if(s.open_, [&](const auto& x) { return x.get() == *mine; });
  if (found == s.open_.end()) return MHD_NO;
  const auto e = *found;
  if (e->answer) return s.answer(connection, *e->answer);
  if (const std::string_view m = method; m != MHD_HTTP_METHOD_GET && m != MHD_HTTP_METHOD_HEAD)
    return s.answer(connection, {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .text = "GET only\n"});
  if (e->path != "/metrics" && e->path != "/livez" && e->path != "/readyz")
    return s.answer(connection, {.status = MHD_HTTP_NOT_FOUND,
                                 .text = "there are /metrics, /livez and /readyz?verbose\n"});
  s.http_->suspend_connection(connection);
  e->suspended = true;
  s.ask(e);
  return MHD_YES;
}

void endpoint::server::completed(void* self, MHD_Connection*, void** mine,
                                 MHD_RequestTerminationCode) {
  auto& s = *static_cast<server*>(self);
  std::erase_if(s.open_, [&](const auto& e) { return e.get() == *mine; });
  *mine = nullptr;
}

MHD_Result endpoint::server::answer(MHD_Connection* connection, const reply& r) {
  // the library takes a copy and never writes to it
  auto* response = http_->create_response_from_buffer(
      r.text.size(), const_cast<char*>(r.text.data()), MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  http_->add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r.type);
  http_->add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  const auto queued = http_->queue_response(connection, r.status, response);
  http_->destroy_response(response);
  return queued;
}

void endpoint::server::ask(const std::shared_ptr<exchange>& e) {
  const auto finish_later = [here = here_, weak = std::weak_ptr(e)](reply r) {
    if (*here) (*here)->finish(weak, std::move(r));
  };
  loop_.after(patience, [finish_later] {
    finish_later({.status = MHD_HTTP_SERVICE_UNAVAILABLE, .text = "the node does not answer\n"});
  });
  if (e->path != "/livez") return ask_figures_of_node(e);
  node_.tell(call_control{.to = self_,
                          .opcode = control::get_pnn,
                          .data = {},
                          .patience = patience,
                          .answer = replier([finish_later](const control_answer&) {
                            finish_later({.text = "alive\n"});
                          })});
}

void endpoint::server::ask_figures_of_node(const std::shared_ptr<exchange>& e) {
  node_.tell(ask_figures{[here = here_, weak = std::weak_ptr(e), path = e->path,
                          verbose = e->verbose](std::shared_ptr<const node_figures> n) {
    if (!*here) return;
    if (path == "/readyz")
      return (*here)->finish(
          weak, {.status = all_good(n->health) ? unsigned{MHD_HTTP_OK}
                                               : unsigned{MHD_HTTP_SERVICE_UNAVAILABLE},
                 .text = health_text(n->health, verbose)});
    // thousands of lines are not written between two packets; what they are made of returns to this thread
    auto text = std::make_shared<std::string>();
    (*here)->loop_.offload([n, text] { *text = metrics_text(*n); },
                           [here, weak, n, text] {
                             if (*here)
                               (*here)->finish(weak,
                                               {.type = "text/plain; version=0.0.4; charset=utf-8",
                                                .text = std::move(*text)});
                           });
  }});
}

void endpoint::server::finish(const std::weak_ptr<exchange>& which, reply r) {
  const auto e = which.lock();
  if (!e || !e->suspended) return;  // it has its answer, or nobody waits any more
  e->suspended = false;
  e->answer = std::move(r);
  http_->resume_connection(e->connection);
  pump();
}

endpoint::endpoint(event_loop& loop, address<node_message> node, pnn self)
    : loop_(loop), node_(std::move(node)), self_(self) {}
endpoint::~endpoint() = default;

std::string endpoint::open(listen_place& where) {
  const auto fd = listen_at(where);
  if (!fd) return fd.error();
  server_ = std::make_unique<server>(loop_, node_, self_);
  auto wrong = server_->open(*fd, where.path);
  if (!wrong.empty()) server_.reset();
  return wrong;
}

}  // namespace floe::cli
