/// What can be played where, and what is read of nodes that are processes.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "cli/drill/language/impossible_lines.hpp"
#include "cli/drill/testbed/real/limits.hpp"
#include "cli/drill/testbed/real/log_follower.hpp"
#include "cli/drill/testbed/testbed_choice.hpp"

namespace floe::cli::drill {
namespace {

script drill_of(const std::string& text) {
  auto s = read_script("a.drill", text);
  REQUIRE_MESSAGE(s.has_value(), (s ? "" : s.error()));
  return *s;
}

constexpr const char* mixed =
    "attach a.tdb\n"
    "clock 1 ahead 10s\n"
    "one of\n"
    "  isolate 2\n"
    "or\n"
    "  kill 1\n"
    "  disk 2 full\n"
    "end\n"
    "within 2s: a.tdb thawed on all\n";

std::vector<unsigned> lines_of(const std::vector<impossible_line>& all) {
  std::vector<unsigned> numbers;
  for (const auto& l : all) numbers.push_back(l.line);
  return numbers;
}

struct log_line {
  std::int64_t us;
  log_level level;
  std::string text;
};

class followed {
 public:
  explicit followed(bool of_floe) : file_(path_), follower_(path_, of_floe) {}
  ~followed() { std::filesystem::remove(path_); }
  std::vector<log_line> after(const std::string& text) {
    file_ << text << std::flush;
    std::vector<log_line> all;
    follower_.read([&](std::int64_t us, log_level level, std::string_view line) {
      all.push_back({us, level, std::string(line)});
    });
    return all;
  }

 private:
  std::string path_ =
      std::filesystem::temp_directory_path() / ("floe-follow-" + std::to_string(::getpid()));
  std::ofstream file_;
  log_follower follower_;
};

}  // namespace

TEST_CASE("lines that cannot be played are found in all blocks, and left out") {
  const auto s = drill_of(mixed);
  const refusal neither = [](ability a) -> std::optional<std::string> {
    if (a == ability::clock_skew || a == ability::cut_links) return "not here";
    return std::nullopt;
  };
  const auto found = impossible_lines(s, neither);
  CHECK(lines_of(found) == std::vector<unsigned>{2, 4});
  CHECK(found[0].text == "clock 1 ahead 10s");
  CHECK(found[0].why == "not here");
  const auto rest = without_impossible(s, neither);
  CHECK(impossible_lines(rest, neither).empty());
  CHECK(rest.body.size() == s.body.size() - 1);
  CHECK(needs(rest, ability::full_disk));
  CHECK_FALSE(needs(rest, ability::cut_links));
}

TEST_CASE("the simulation can play everything; a ctdbd does not tell what floe tells") {
  const auto s = drill_of(mixed);
  const auto sim = make_testbed(s, 1, {});
  REQUIRE(sim.has_value());
  CHECK(impossible_lines(s, [&](ability a) { return (*sim)->cannot(a); }).empty());
  const real_limits floe_only{
      .no_wire = std::nullopt, .no_mounts = std::nullopt, .any_ctdbd = false};
  CHECK(lines_of(impossible_lines(s, [&](ability a) { return floe_only.cannot(a); })) ==
        std::vector<unsigned>{2});
  const real_limits poor{.no_wire = "no network", .no_mounts = "no mounts", .any_ctdbd = true};
  CHECK(lines_of(impossible_lines(s, [&](ability a) { return poor.cannot(a); })) ==
        std::vector<unsigned>{2, 4, 7, 9});
}

TEST_CASE("the line that plays a run again names what it was played on") {
  CHECK(option_text({}).empty());
  CHECK(option_text({.real = true, .ctdbd = {1, 2}, .patience = 20}) ==
        " --real --ctdbd 1,2 --patience 20");
  const testbed_choice some{.real = true, .ctdbd = {1}};
  CHECK(some.kind(0) == node_kind::floe);
  CHECK(some.kind(1) == node_kind::ctdbd);
}

TEST_CASE("lines of floe have their own time, and come when they are whole") {
  followed log(true);
  CHECK(log.after("2026-11-22T15:02:25.502673 node 0 warning vnn-").empty());
  const auto lines =
      log.after("map gen=7\n2026-11-22T15:02:26.502674 node 0 info second\nsomething else\n");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].text == "vnn-map gen=7");
  CHECK(lines[0].level == log_level::warning);
  CHECK(lines[1].us - lines[0].us == 1'000'001);
  CHECK(lines[2].text == "something else");
}

TEST_CASE("lines of others are told as they are") {
  followed log(false);
  const auto lines = log.after("2026-11-22T15:02:25.502673 node 0 info x\n");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].text == "2026-11-22T15:02:25.502673 node 0 info x");
}

}  // namespace floe::cli::drill
