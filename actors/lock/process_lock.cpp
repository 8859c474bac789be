#include "actors/lock/process_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>
#include <utility>

#include "actors/spawn_apart.hpp"

namespace floe {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t longest_line = 1000;

std::string ms_text(duration d) { return std::to_string(duration_cast<milliseconds>(d).count()); }

/// "!command a b" to its words; CTDB knows no quoting either.
std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  while (true) {
    const auto begin = command.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    command.remove_prefix(begin);
    const auto end = std::min(command.find_first_of(" \t"), command.size());
    words.emplace_back(command.substr(0, end));
    command.remove_prefix(end);
  }
}

struct started {
  pid_t pid = -1;
  int in = -1, out = -1;  ///< our ends of its standard input and output
  int error = 0;
};

/// In a session of its own, with the signals of a fresh process.
started start(std::vector<std::string> words) {
  started made;
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return made.error = errno, made;
  if (::pipe2(out, O_CLOEXEC) != 0) {
    made.error = errno;
    ::close(in[0]), ::close(in[1]);
    return made;
  }
  const auto child =
      spawn_apart(std::move(words), {.input = in[0], .output = out[1], .own_session = true});
  if (child)
    made.pid = *child;
  else
    made.error = child.error();
  ::close(in[0]);
  ::close(out[1]);
  made.in = in[1];
  made.out = out[0];
  ::fcntl(made.in, F_SETFL, O_NONBLOCK);
  ::fcntl(made.out, F_SETFL, O_NONBLOCK);
  return made;
}

/// One guard, from its start until it is buried.
class guard : public std::enable_shared_from_this<guard> {
 public:
  guard(event_loop& loop, const process_lock_options& o, lock_events e)
      : loop_(loop), options_(o), events_(std::move(e)) {}
  guard(const guard&) = delete;

  void run(std::vector<std::string> words, duration limit, std::function<void()> buried) {
    buried_ = std::move(buried);
    const auto s = start(std::move(words));
    if (s.error != 0) {
      close_end(in_ = s.in);
      close_end(out_ = s.out);
      loop_.post([self = shared_from_this(),
                  why = options_.guard.front() + ": " + std::strerror(s.error)] {
        self->answer({lock_outcome::failed, why});
        self->bury();
      });
      return;
    }
    pid_ = s.pid;
    in_ = s.in;
    out_ = s.out;
    pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    loop_.watch(out_, EPOLLIN, [this](std::uint32_t) { read(); });
    if (pid_fd_ >= 0) loop_.watch(pid_fd_, EPOLLIN, [this](std::uint32_t) { ended(); });
    renewed_ = loop_.now();
    plan_beat();
    deadline_ = loop_.after(limit, [this, limit] {
      answer({lock_outcome::failed, fmt::format("no answer within {} ms", ms_text(limit))});
      let_go();
    });
  }

  bool expired() const { return loop_.now() - renewed_ >= options_.lease; }

  void release(std::function<void()> done) {
    events_ = {};
    if (pid_ < 0) {
      if (done) loop_.post(std::move(done));
      return;
    }
    if (done) released_ = std::move(done);
    let_go();
  }

  /// At the end of the program: waits, and kills what does not end.
  void finish_now() {
    events_ = {};
    released_ = nullptr;
    if (pid_ < 0) return;
    let_go();
    pollfd one{pid_fd_, POLLIN, 0};
    ::poll(&one, 1, static_cast<int>(duration_cast<milliseconds>(options_.grace).count()));
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    forget();
  }

 private:
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }

  void plan_beat() {
    beat_ = loop_.after(options_.lease / 6, [this] {
      if (expired()) {  // the guard has given the lock away meanwhile, or is about to
        lose("this node hung for longer than the lease");
        return let_go();
      }
      // a full pipe means that the guard hangs, not that it has ended
      if (::write(in_, ".", 1) == 1) renewed_ = loop_.now();
      plan_beat();
    });
  }

  void read() {
    char some[512];
    const auto n = ::read(out_, some, sizeof some);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      loop_.unwatch(out_);
      close_end(out_);
      // its own words come first; without any its end says enough
      answer({lock_outcome::failed, "the guard of the lock ended without a word"});
      lose("the guard of the lock ended");
      return let_go();
    }
    said_.append(some, static_cast<std::size_t>(n));
    for (auto end = said_.find('\n'); end != std::string::npos; end = said_.find('\n')) {
      const auto line = said_.substr(0, end);
      said_.erase(0, end + 1);
      if (!line.empty()) hear(line[0], line.substr(1));
    }
    if (said_.size() > longest_line) said_.clear();
  }

  void hear(char what, const std::string& text) {
    if (what == '0') return answer({lock_outcome::taken, {}});
    if (what == '1') return answer({lock_outcome::contended, {}});
    if (what == 'L') return lose(text);
    answer({lock_outcome::failed, text});
  }

  void answer(const lock_answer& a) {
    loop_.cancel(std::exchange(deadline_, timer_id{0}));
    if (auto tell = std::exchange(events_.answered, nullptr)) {
      held_ = a.outcome == lock_outcome::taken;
      tell(a);
    }
  }
  void lose(const std::string& why) {
    if (!std::exchange(held_, false)) return;
    if (auto tell = std::exchange(events_.lost, nullptr)) tell(why);
  }

  /// Ends the node's part; the guard ends by itself, or is killed.
  void let_go() {
    if (in_ < 0) return;
    held_ = false;
    loop_.cancel(std::exchange(beat_, timer_id{0}));
    loop_.cancel(std::exchange(deadline_, timer_id{0}));
    close_end(in_);
    kill_ = loop_.after(options_.grace, [this] {
      ::kill(-pid_, SIGKILL);
      // a process that cannot be killed sits in a dead file system; nobody can know what it still
      // holds
      kill_ = loop_.after(options_.grace, [this] { tell_released(); });
    });
  }

  void tell_released() {
    if (auto tell = std::exchange(released_, nullptr)) tell();
  }

  void ended() {
    auto self = shared_from_this();
    if (out_ >= 0) read();
    ::waitpid(pid_, nullptr, WNOHANG);
    pid_ = -1;
    answer({lock_outcome::failed, "the guard of the lock was killed"});
    lose("the guard of the lock was killed");
    forget();
    tell_released();
    bury();
  }

  void forget() {
    for (auto* t : {&beat_, &deadline_, &kill_}) loop_.cancel(std::exchange(*t, timer_id{0}));
    if (out_ >= 0) loop_.unwatch(out_);
    if (pid_fd_ >= 0) loop_.unwatch(pid_fd_);
    close_end(in_);
    close_end(out_);
    close_end(pid_fd_);
  }
  void bury() {
    if (auto f = std::exchange(buried_, nullptr)) f();
  }

  event_loop& loop_;
  process_lock_options options_;
  lock_events events_;
  std::function<void()> released_, buried_;
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, pid_fd_ = -1;
  std::string said_;
  bool held_ = false;
  time_point renewed_;
  timer_id beat_{0}, deadline_{0}, kill_{0};
};

class guard_claim final : public lock_claim {
 public:
  explicit guard_claim(std::shared_ptr<guard> g) : guard_(std::move(g)) {}
  ~guard_claim() override {
    if (guard_) guard_->release(nullptr);
  }
  void release(std::function<void()> done) override {
    if (auto g = std::exchange(guard_, nullptr)) g->release(std::move(done));
  }
  bool expired() const override { return guard_ && guard_->expired(); }

 private:
  std::shared_ptr<guard> guard_;
};

class guards final : public cluster_locks {
 public:
  guards(event_loop& loop, process_lock_options o) : loop_(loop), options_(std::move(o)) {}
  ~guards() override {
    for (const auto& g : living_) g->finish_now();
  }
  std::unique_ptr<lock_claim> claim(const std::string& setting, duration limit,
                                    lock_events e) override {
    auto words = options_.guard;
    words.push_back(ms_text(options_.lease));
    if (setting.starts_with('!')) {
      words.emplace_back("run");
      for (auto& w : words_of(std::string_view(setting).substr(1))) words.push_back(std::move(w));
    } else {
      for (auto w :
           {std::string("file"), ms_text(options_.check), ms_text(options_.patience), setting})
        words.push_back(std::move(w));
    }
    auto g = std::make_shared<guard>(loop_, options_, std::move(e));
    living_.insert(g);
    g->run(std::move(words), limit,
           [this, weak = std::weak_ptr(g)] { living_.erase(weak.lock()); });
    return std::make_unique<guard_claim>(std::move(g));
  }

 private:
  event_loop& loop_;
  process_lock_options options_;
  std::set<std::shared_ptr<guard>> living_;
};

}  // namespace

std::unique_ptr<cluster_locks> process_locks(event_loop& loop, process_lock_options o) {
  return std::make_unique<guards>(loop, std::move(o));
}

}  // namespace floe
