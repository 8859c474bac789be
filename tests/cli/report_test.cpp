/// What is made of a run: times of unavailability, the page, JUnit's XML, Perfetto's trace.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/drill/report/compare_runs.hpp"
#include "cli/drill/report/junit.hpp"
#include "cli/drill/report/run_record.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

span between(std::int64_t from, std::int64_t to, const char* what = "frozen") {
  return {what, from, to, false};
}

run_record example() {
  run_record r{.title = "a <b> & \"c\"",
               .story = "ends </script> here",
               .mode = "sim",
               .seed = 7,
               .good = false,
               .reason = "1 check failed"};
  r.nodes = {{pnn{0}, "floe"}, {pnn{1}, "ctdbd"}};
  r.picture.from_us = 0;
  r.picture.to_us = 1000;
  r.picture.rows = {
      {.db = "", .node = pnn{0}, .spans = {between(0, 1000, "active")}, .marks = {}},
      {.db = "a.tdb",
       .node = pnn{0},
       .spans = {between(100, 200, "freezing"), between(200, 300)},
       .marks = {{'w', 150}}},
      {.db = "a.tdb", .node = pnn{1}, .spans = {between(250, 320), between(700, 750)}, .marks = {}},
      {.db = "b.tdb", .node = pnn{1}, .spans = {between(500, 510)}, .marks = {}}};
  r.picture.stories = {{"a.tdb", {between(120, 260, "pull")}}};
  r.faults = {{90, 400, "kill 1"}, {600, 600, "kill 0"}};
  r.checks = {{100, "within 2s: normal", true, "", 0.5}, {200, "expect 5", false, "it is <4>", 0}};
  return r;
}

std::size_t count(const std::string& in, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t i = 0; (i = in.find(what, i)) != std::string::npos; i += what.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE(
    "unavailable: one stretch per node, overlaps once, split at the faults, the worst first") {
  const auto times = unavailable_times(example());
  REQUIRE(times.size() == 2);
  CHECK(times[0].db == "a.tdb");
  CHECK(times[0].longest_us == 200);  // freezing and frozen follow each other
  CHECK(times[0].node == pnn{0});
  CHECK(times[0].total_us == 220 + 50);
  CHECK(times[0].by_fault_us == std::vector<std::int64_t>{220, 50});
  CHECK(times[1].db == "b.tdb");
  CHECK(times[1].by_fault_us == std::vector<std::int64_t>{10, 0});
}

TEST_CASE("the page holds all data, and nothing in them ends its element") {
  const auto page = html_page(example());
  CHECK(count(page, "</script>") == 2);
  const std::string begin = "<script type=\"application/json\" id=\"run\">";
  const auto from = page.find(begin) + begin.size();
  auto data = page.substr(from, page.find("</script>", from) - from);
  const auto j = nlohmann::json::parse(data);
  CHECK(j["story"] == "ends </script> here");
  CHECK(j["seed"] == 7);
  CHECK(j["verdict"] == "bad");
  CHECK(j["rows"].size() == 4);
  CHECK(j["faults"][1]["to_us"] == 600);
  CHECK(j["unavailable"][0]["db"] == "a.tdb");
}

TEST_CASE("JUnit: suites with their cases, nothing in them ends an element") {
  const auto xml = junit_xml({{"a <b> & \"c\"",
                               {{"one", 0.5, true, "", ""},
                                {"two", 0.25, false, "it is <4>", "more & more\n"},
                                {"three", 0, false, "no", ""}}},
                              {"other", {{"one", 1, true, "", ""}}}});
  CHECK(xml.find("<testsuites name=\"floe\" tests=\"4\" failures=\"2\">") != std::string::npos);
  CHECK(xml.find("tests=\"3\" failures=\"2\" time=\"0.750\"") != std::string::npos);
  CHECK(count(xml, "<testcase") == 4);
  CHECK(count(xml, "<failure") == 2);
  CHECK(xml.find("it is &lt;4&gt;") != std::string::npos);
  CHECK(xml.find("more &amp; more") != std::string::npos);
  CHECK(xml.find("a &lt;b&gt; &amp; &quot;c&quot;") != std::string::npos);
}

TEST_CASE(
    "Perfetto: spans of nodes, of the leader, of faults and clients; what overlaps has a thread of "
    "its own") {
  auto r = example();
  r.uses = {{"holds", "c", "a.tdb", "k", pnn{0}, 0, 300, ""},
            {"waits", "c", "b.tdb", "k", pnn{0}, 100, 200, ""},
            {"waits", "c", "b.tdb", "k", pnn{0}, 400, 500, ""}};
  r.throughput = {.bucket_us = 500, .done = {3, 4}, .failed = {0, 1}, .waiting = {1, 0}};
  const auto j = nlohmann::json::parse(perfetto_trace(r));
  std::size_t spans = 0, names = 0, counters = 0;
  std::set<int> threads;
  for (const auto& e : j["traceEvents"]) {
    if (e["name"].get<std::string>().find("/k") != std::string::npos)
      threads.insert(e["tid"].get<int>());
    counters += e["ph"] == "C";
    spans += e["ph"] == "X";
    names += e["name"] == "process_name";
  }
  CHECK(spans == 6 + 1 + 2 + 3);
  CHECK(names == 5);  // recovery mode, two databases, faults, clients
  CHECK(counters == 2);
  CHECK(threads.size() == 2);
}

TEST_CASE("two runs side by side") {
  const auto json_of = [](const run_record& r) {
    wire::json_writer j;
    j.begin_object();
    put_record(j, r);
    j.end();
    return j.take();
  };
  auto slower = example();
  slower.faults[0].what = "kill any (node 0)";
  auto faster = example();
  faster.good = true;
  faster.checks = {{100, "within 2s: normal", true, "", 0.25}};
  faster.uses = {{"waits", "c", "a.tdb", "k", pnn{0}, 100, 30'100, ""},
                 {"holds", "c", "a.tdb", "k", pnn{0}, 0, 90'000, ""}};
  faster.longest_wait_us = {{"a.tdb", 30'000}};
  faster.faults[0].what = "kill any (node 1)";
  faster.throughput = {.bucket_us = 1000, .done = {10, 30}, .failed = {0, 0}};
  faster.nodes[0].kind = "ctdbd";
  const auto c = compare_runs(json_of(slower), json_of(faster));
  REQUIRE(c.has_value());
  CHECK_FALSE(c->a_good);
  CHECK(c->b_good);
  CHECK(c->a.find("ctdbd on 1 of 2 nodes") != std::string::npos);
  CHECK(c->b.find("ctdbd on 2 of 2 nodes") != std::string::npos);
  const auto named = [&](const std::string& what) {
    const auto i = std::ranges::find(c->figures, what, &compared_figure::what);
    REQUIRE_MESSAGE(i != c->figures.end(), what);
    return *i;
  };
  CHECK(named("within 2s: normal").ratio() == doctest::Approx(2));
  CHECK(named("a.tdb not available, in all").ratio() == doctest::Approx(1));
  CHECK(named("a.tdb not available after kill any").a == doctest::Approx(0.22));
  CHECK(named("operations").a < 0);
  CHECK(named("operations").b == doctest::Approx(20'000));
  CHECK(named("a.tdb longest wait of a client").b == doctest::Approx(30));
  // what takes no time is not compared
  CHECK(std::ranges::find(c->figures, "expect 5", &compared_figure::what) == c->figures.end());
  CHECK(comparison_text(*c).find("B x 2.00") != std::string::npos);
  CHECK(!compare_runs("{}", json_of(faster)).has_value());
  CHECK(compare_runs(json_of(faster), "nonsense").error().find("second file") != std::string::npos);
}

TEST_CASE("worse by more than a percentage, and by more than noise") {
  CHECK(compared_figure{"t", 100, 121, "ms", true}.worse_by(20));
  CHECK(!compared_figure{"t", 100, 119, "ms", true}.worse_by(20));
  CHECK(!compared_figure{"t", 0.1, 0.9, "ms", true}.worse_by(20));
  CHECK(compared_figure{"t", 0, 5, "ms", true}.worse_by(20));
  CHECK(!compared_figure{"t", -1, 5, "ms", true}.worse_by(20));
  CHECK(compared_figure{"r", 100, 79, "/s", false}.worse_by(20));
  CHECK(!compared_figure{"r", 100, 500, "/s", false}.worse_by(20));
  const compared_runs runs{
      .a = "", .b = "", .a_good = true, .b_good = false, .figures = {{"t", 100, 200, "ms", true}}};
  CHECK(runs.worse_by(20) == std::vector<std::string>{"the verdict", "t"});
  CHECK(runs.worse_by(200) == std::vector<std::string>{"the verdict"});
}

TEST_CASE("a page of two runs: nothing in them is taken for a place of it") {
  wire::json_writer j;
  j.begin_object();
  auto r = example();
  r.title = "@PAGE_A@ @ROWS@ <i>";
  put_record(j, r);
  j.end();
  const auto text = j.take();
  const auto c = compare_runs(text, text);
  REQUIRE(c.has_value());
  const auto page = comparison_page(*c, text, text);
  CHECK(count(page, "<iframe ") == 2);
  CHECK(count(page, "srcdoc=\"&lt;!doctype html>") == 2);
  CHECK(page.find("<i>") == std::string::npos);
  CHECK(count(page, "@PAGE_A@ @ROWS@ &lt;i>") >= 2);
}
