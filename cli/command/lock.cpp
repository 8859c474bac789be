/// floe lock: takes the lock of a record and holds it until standard input ends, or for a while.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/duration_text.hpp"
#include "cli/keys.hpp"
#include "cli/line_input.hpp"
#include "cli/named_record.hpp"
#include "cli/output.hpp"
#include "cli/waiting_line.hpp"

namespace floe::cli {
namespace {

/// Until standard input ends, `time` is over, or the connection is lost.
result<void> hold(blocking_client& c, std::optional<duration> time) {
  bool over = false;
  std::optional<line_input> input;
  if (time)
    c.loop().after(*time, [&over] { over = true; });
  else
    input.emplace(
        c.loop(), STDIN_FILENO, [](const std::string&) {}, [&over] { over = true; });
  while (!over && c.async().connected())
    c.loop().run_until([&] { return over || !c.async().connected(); }, std::chrono::hours(1));
  if (c.async().connected()) return {};
  return std::unexpected(
      client_error{client_errc::disconnected, 0, "the lock is gone with it", pnn::current});
}

int run_lock(context& c, const arguments& a) {
  std::optional<duration> time;
  if (a.has("--for")) {
    time = parse_duration(a["--for"]);
    if (!time) return c.misused("--for: " + not_a_duration(a["--for"]));
  }
  const auto of = open_record(c, a, "lock");
  if (!of) return of.error();
  auto& node = *of->node;
  const auto begin = node.loop().now();
  auto lock = [&] {
    const waiting_line shown(node, of->what);
    return node.lock(of->db, of->key, c.long_patience());
  }();
  if (!lock) return c.fail(of->what, lock.error());
  const double waited =
      std::chrono::duration<double, std::milli>(node.loop().now() - begin).count();
  if (c.options.json) {
    auto j = open_json("lock");
    j.text("event", "granted");
    j.text("key", show_octets(of->key));
    j.text("value", show_octets(lock->data()));
    j.number("rsn", number(lock->header().rsn));
    j.real("waited_ms", waited);
    print_json(std::move(j));
  } else {
    print(fmt::format("granted after {}, held {}\n", age_text(waited),
                      time ? "for " + a["--for"] : std::string("until standard input ends")));
    flush_output();
  }
  c.takes_its_time();
  if (const auto kept = hold(node, time); !kept) return c.fail(of->what, kept.error());
  if (const auto given = lock->unlock(c.patience()); !given) return c.fail(of->what, given.error());
  return done;
}

}  // namespace

command lock_command() {
  return {.name = "lock",
          .group = "Records",
          .summary = "take the lock of a record and hold it until standard input ends",
          .example =
              "floe --base DIR lock locking.tdb mykey --for 10s\nsleep 5 | floe --base DIR lock "
              "locking.tdb mykey",
          .positionals = {{"DB", "name, or 0x and id"}, {"KEY", "text, or octets as 0x..."}},
          .options = {{"--for", "DURATION", "hold it this long instead: 500ms, 10s, 2m"}},
          .run = run_lock};
}

}  // namespace floe::cli
