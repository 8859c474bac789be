#include "cli/command/drill/against.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command/drill/subcommands.hpp"
#include "cli/drill/run/sweep.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {
namespace {

namespace fs = std::filesystem;

struct played_drill {
  bool held = false;
  std::string reason;
};
using played_drills = std::map<std::string, played_drill>;  ///< by file

struct program_end {
  int status = 0;  ///< as of waitpid
  std::string printed;
};

std::expected<program_end, std::string> run_program(const std::vector<std::string>& line) {
  std::vector<char*> arguments;
  for (const auto& word : line) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(std::strerror(errno));
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, arguments[0], &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  program_end end;
  std::array<char, 65536> buffer{};
  if (error == 0)
    for (ssize_t n = 0;
         (n = ::read(ends[0], buffer.data(), buffer.size())) > 0 || (n < 0 && errno == EINTR);)
      if (n > 0) end.printed.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  if (error != 0) return std::unexpected(std::strerror(error));
  while (::waitpid(child, &end.status, 0) < 0 && errno == EINTR) {
  }
  return end;
}

/// The other program plays all of them in one go, as many at a time as it likes.
std::expected<played_drills, std::string> played_by(const std::string& program,
                                                    const std::vector<std::string>& files) {
  std::vector<std::string> line{program, "drill", "run", "--json"};
  line.insert(line.end(), files.begin(), files.end());
  const auto end = run_program(line);
  if (!end) return std::unexpected(fmt::format("{}: {}", program, end.error()));
  const auto told = nlohmann::json::parse(end->printed, nullptr, false);
  if (!told.is_object() || !told.contains("runs") || !told["runs"].is_array())
    return std::unexpected(fmt::format(
        "{} does not play them: {} {}", program, WIFEXITED(end->status) ? "exit status" : "signal",
        WIFEXITED(end->status) ? WEXITSTATUS(end->status) : WTERMSIG(end->status)));
  played_drills all;
  for (const auto& r : told["runs"]) {
    if (!r.is_object()) continue;
    const auto reason = r.value("reason", nlohmann::json());
    all[r.value("drill", "")] = {r.value("verdict", "") == "held",
                                 reason.is_string() ? reason.get<std::string>() : std::string()};
  }
  return all;
}

std::expected<std::vector<std::string>, std::string> drills_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code bad;
  for (auto f = fs::directory_iterator(folder, bad); !bad && f != fs::directory_iterator();
       f.increment(bad))
    if (f->path().extension() == ".drill") files.push_back(f->path().string());
  if (bad) return std::unexpected(fmt::format("{}: {}", folder, bad.message()));
  if (files.empty()) return std::unexpected(fmt::format("there are no drills in {}", folder));
  std::ranges::sort(files);
  return files;
}

const char* word_for(const std::optional<played_drill>& p) {
  if (!p) return "not played";
  return p->held ? "held" : "failed";
}

/// Both sides of every drill; whether they are equal.
bool show(context& c, const std::string& program, const std::vector<std::string>& files,
          const played_drills& here, const played_drills& there) {
  const auto of = [](const played_drills& all, const std::string& file) {
    const auto found = all.find(file);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  };
  const auto cell = [](const std::optional<played_drill>& p) {
    return p && !p->held ? p->reason : std::string(word_for(p));
  };
  table t({{"DRILL"}, {"HERE"}, {"THERE"}});
  auto j = open_json("drill hunt");
  j.text("against", program);
  j.begin_list("drills");
  bool equal = true;
  for (const auto& f : files) {
    const auto mine = of(here, f), other = of(there, f);
    equal &= mine && other && mine->held == other->held;
    t.row({f, cell(mine), cell(other)});
    j.begin_object();
    j.text("drill", f);
    j.text("here", word_for(mine));
    j.text("there", word_for(other));
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else
    print(t.text());
  return equal;
}

}  // namespace

int play_against(context& c, const std::string& folder, const std::string& program,
                 std::size_t jobs) {
  const auto files = drills_in(folder);
  if (!files) return c.fail("drill hunt: " + files.error());
  std::vector<script> drills;
  for (const auto& f : *files) {
    auto s = load(f);
    if (!s) return print_mistakes("drill hunt", s.error());
    drills.push_back(std::move(*s));
  }
  std::vector<planned_run> runs;
  for (const auto& d : drills) runs.push_back({.drill = &d, .seed = d.seed});
  played_drills here;
  if (const int signal = sweep(runs, jobs, [&](const planned_run& r, const verdict& v) {
        here[r.drill->name] = {v.held, v.reason};
      }))
    return 128 + signal;
  const auto there = played_by(program, *files);
  if (!there) return c.fail("drill hunt: " + there.error());
  return show(c, program, *files, here, *there) ? done : says_no;
}

}  // namespace floe::cli::drill
