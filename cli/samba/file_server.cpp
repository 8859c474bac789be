#include "cli/samba/file_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

constexpr int smb_port = 4450;  // of loopback addresses that nobody else uses

struct needed_program {
  const char* path;
  const char* package;
};
constexpr needed_program needed[] = {{"/usr/sbin/smbd", "samba"},
                                     {"/usr/bin/smbstatus", "samba"},
                                     {"/usr/bin/pdbedit", "samba-common-bin"},
                                     {"/usr/bin/smbclient", "smbclient"}};

/// A child of its own process group; its input and output are pipes or nothing. It does not outlive us.
pid_t spawn(const std::vector<std::string>& words,
            const std::vector<std::pair<std::string, std::string>>& variables, int input,
            int output) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) {
    if (child > 0) ::setpgid(child, child);
    return child;
  }
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(input >= 0 ? input : nothing, STDIN_FILENO);
  ::dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
  ::dup2(output >= 0 ? output : nothing, STDERR_FILENO);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> all;
  for (const auto& w : words) all.push_back(const_cast<char*>(w.c_str()));
  all.push_back(nullptr);
  ::execv(all[0], all.data());
  ::_exit(127);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Runs it to its end, at most for a while.
finished_program finish(const std::vector<std::string>& words,
                        const std::vector<std::pair<std::string, std::string>>& variables,
                        const std::string& input) {
  constexpr auto patience = std::chrono::seconds(60);
  const auto begun = std::chrono::steady_clock::now();
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  finished_program r{.status = 127, .output = {}};
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return r;
  const pid_t child = spawn(words, variables, in[0], out[1]);
  ::close(in[0]);
  ::close(out[1]);
  // a few words, which a pipe takes whole
  if (!input.empty() && ::write(in[1], input.data(), input.size()) < 0)
    r.output = "cannot be given its input\n";
  ::close(in[1]);
  while (child > 0) {
    pollfd p{out[0], POLLIN, 0};
    const auto left = begun + patience - std::chrono::steady_clock::now();
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (ms <= 0 || ::poll(&p, 1, static_cast<int>(ms)) == 0) {
      ::kill(-child, SIGKILL);
      break;
    }
    char buffer[4096];
    const auto n = ::read(out[0], buffer, sizeof buffer);
    if (n <= 0) break;
    r.output.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(out[0]);
  if (child > 0) r.status = wait_for(child);
  r.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begun);
  return r;
}

}  // namespace

std::vector<std::string> missing_samba_packages() {
  std::vector<std::string> missing;
  for (const auto& p : needed)
    if (::access(p.path, X_OK) != 0 && (missing.empty() || missing.back() != p.package))
      missing.emplace_back(p.package);
  return missing;
}

file_server::file_server(const local_cluster& c, std::uint32_t node, std::string library)
    : cluster_(&c), node_(node), library_(std::move(library)) {}

file_server::file_server(file_server&& other) noexcept
    : cluster_(other.cluster_),
      node_(other.node_),
      library_(std::move(other.library_)),
      pid_(std::exchange(other.pid_, -1)) {}

file_server::~file_server() { kill(); }

std::string file_server::configuration() const {
  return fmt::format("{}/smb.{}/smb.conf", cluster_->dir, node_);
}

std::expected<void, std::string> file_server::start() {
  const auto own = fmt::format("{}/smb.{}", cluster_->dir, node_), files = cluster_->dir + "/files";
  std::error_code problem;
  for (const char* folder : {"private", "lock", "state", "cache", "pid", "ncalrpc", "log"})
    fs::create_directories(own + "/" + folder, problem);
  fs::create_directories(files, problem);
  fs::permissions(own + "/private", fs::perms::owner_all, problem);
  std::ofstream conf(configuration());
  conf << "[global]\nclustering = yes\nctdbd socket = " << cluster_->socket(node_)
       << "\nnetbios name = FLOE\nworkgroup = FLOE\nserver role = standalone server\nsecurity = "
          "user\n"
          "map to guest = Bad User\nguest account = root\ninterfaces = "
       << cluster_->address(node_) << "/8\nbind interfaces only = yes\nsmb ports = " << smb_port
       << "\ndisable netbios = yes\nload printers = no\nprinting = bsd\nprintcap name = "
          "/dev/null\ndisable spoolss = yes\n"
          "kernel oplocks = no\nkernel share modes = no\nposix locking = no\npassdb backend = "
          "tdbsam\nlogging = file\n";
  for (const auto& [setting, folder] : {std::pair{"private dir", "private"},
                                        {"lock directory", "lock"},
                                        {"state directory", "state"},
                                        {"cache directory", "cache"},
                                        {"pid directory", "pid"},
                                        {"ncalrpc dir", "ncalrpc"},
                                        {"binddns dir", "private"},
                                        {"log file", "log/log.%m"}})
    conf << setting << " = " << own << "/" << folder << "\n";
  conf << "[share]\npath = " << files << "\nguest ok = yes\nread only = no\nforce user = root\n";
  conf.close();
  if (!conf) return std::unexpected(configuration() + ": cannot be written");
  pid_ = spawn({needed[0].path, "-F", "--no-process-group", "-s", configuration()},
               {{"LD_PRELOAD", library_}}, -1, -1);
  if (pid_ < 0) return std::unexpected(std::string("cannot fork: ") + std::strerror(errno));
  return {};
}

void file_server::kill() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  (void)wait_for(pid_);
  pid_ = -1;
}

finished_program file_server::run(const std::vector<std::string>& words,
                                  const std::string& input) const {
  return finish(words, {{"LD_PRELOAD", library_}, {"SMB_CONF_PATH", configuration()}}, input);
}

std::vector<std::string> file_server::client_words(const std::string& commands) const {
  return {needed[3].path, "//" + cluster_->address(node_) + "/share",
          "-p",           std::to_string(smb_port),
          "-s",           configuration(),
          "-N",           "-c",
          commands};
}

finished_program file_server::client(const std::string& commands) const {
  return finish(client_words(commands), {}, {});
}

pid_t file_server::keep_open(const std::string& file) const {
  int full[2];
  if (::pipe2(full, O_CLOEXEC) != 0) return -1;
  const pid_t child = spawn(client_words("get " + file + " /dev/stdout"), {}, -1, full[1]);
  ::close(full[1]);
  // full[0] stays open and is never read: the client comes to a stand with the file open, until it is killed
  return child;
}

}  // namespace floe::cli
