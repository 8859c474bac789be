#include "cli/replay/puppet.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/cluster/processes.hpp"
#include "cli/line_input.hpp"

namespace floe::cli {

std::expected<std::unique_ptr<puppet>, std::string> puppet::start(event_loop& loop,
                                                                  const std::string& base,
                                                                  const std::string& name) {
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    return std::unexpected(std::string("pipe: ") + std::strerror(errno));
  std::array<std::string, 7> words{own_program(), "--base", base, "--json",
                                   "client",      "--name", name};
  std::array<char*, 8> argv{};
  for (std::size_t i = 0; i < words.size(); ++i) argv[i] = words[i].data();
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, in[0], 0);
  ::posix_spawn_file_actions_adddup2(&files, out[1], 1);
  // a process group of its own: Ctrl-C is for us, who end it in order
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, words[0].c_str(), &files, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(in[0]);
  ::close(out[1]);
  if (error != 0) {
    ::close(in[1]);
    ::close(out[0]);
    return std::unexpected(words[0] + ": " + std::strerror(error));
  }
  std::unique_ptr<puppet> p(new puppet);
  p->pid_ = pid;
  p->to_ = in[1];
  p->from_ = out[0];
  p->input_ = std::make_unique<line_input>(
      loop, p->from_, [raw = p.get()](const std::string& line) { raw->hear(line); }, [] {});
  return p;
}

puppet::~puppet() {
  ::close(to_);  // the end of its input is its end
  input_.reset();
  ::close(from_);
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

void puppet::tell(const std::string& line) {
  const auto text = line + "\n";
  // a few words at a time: a pipe takes them at once
  if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    answers_.push_back(
        {.line = line, .ok = false, .result = {}, .error = "the process is gone", .value = {}});
}

void puppet::hear(const std::string& text) {
  const auto j = nlohmann::json::parse(text, nullptr, false);
  if (!j.is_object()) return;
  answers_.push_back({.line = j.value("line", ""),
                      .ok = j.value("ok", false),
                      .result = j.value("result", ""),
                      .error = j.value("error", ""),
                      .value = j.value("value", ""),
                      .t_us = j.value("t_us", std::int64_t{0}),
                      .ms = j.value("ms", 0.0)});
}

const puppet::answer* puppet::answer_to(const std::string& line) const {
  const auto i = std::ranges::find(answers_.rbegin(), answers_.rend(), line, &answer::line);
  return i == answers_.rend() ? nullptr : &*i;
}

}  // namespace floe::cli
