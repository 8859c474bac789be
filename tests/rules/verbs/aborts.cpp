/// aborts, and a line below: that verb or event is one that the machine takes for a bug of its caller. It is played in a
/// process of its own, which has to end by the abort of an assertion.
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <csignal>
#include <cstdlib>

#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>& body) {
  if (body.empty()) throw mistake("aborts: the event stands on the next line");
  const pid_t child = ::fork();
  if (child < 0) throw mistake("aborts: no process for it");
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    try {
      run_line(w, body[0], {body.begin() + 1, body.end()});
    } catch (const mistake&) {
      std::_Exit(2);
    }
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
    return run_line(w, body[0], {});  // tells the mistake
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "aborted" : "went on";
}

extern const verb aborts_verb{"aborts", "aborts, and one line below", run};

}  // namespace floe::rule_script
