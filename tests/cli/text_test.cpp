/// What is typed and what is printed.
#include <doctest/doctest.h>

#include <array>

#include "cli/duration_text.hpp"
#include "cli/example_text.hpp"
#include "cli/keys.hpp"
#include "cli/output.hpp"
#include "cli/script_words.hpp"
#include "cli/suggest.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/visible.hpp"

using namespace floe;
using namespace floe::cli;
using namespace std::chrono_literals;

TEST_CASE("the sequence number is shown by its name and as a number") {
  CHECK(cli::show_key(sequence_number_key) == "(sequence number)");
  CHECK(cli::show_value(sequence_number_key, byte_view("\x07\0\0\0\0\0\0\0", 8)) == "7");
  CHECK(cli::show_key("__db_sequence_number__") ==
        "__db_sequence_number__");  // without its NUL: a user's own
  CHECK(cli::show_value("key", "value") == "value");
}

TEST_CASE("keys are text, or octets as 0x; what is printed can be typed again") {
  CHECK(parse_octets("abc") == bytes("abc"));
  CHECK(parse_octets("0x61ff00") == bytes("a\xff\0", 3));
  CHECK(parse_octets("0xAb") == bytes("\xab"));
  CHECK(parse_octets("0x") == bytes());
  CHECK_FALSE(parse_octets("0x1"));
  CHECK_FALSE(parse_octets("0x1g"));
  CHECK(show_octets("record-1") == "record-1");
  CHECK(show_octets("größe") == "größe");
  CHECK(show_octets(byte_view("foo\0", 4)) == "0x666f6f00");
  CHECK(show_octets("\xff") == "0xff");
  CHECK(show_octets("0x41") == "0x30783431");
  for (const byte_view v : {byte_view("a b"), byte_view("0x00"), byte_view("\0\1", 2),
                            byte_view("\xc3"), byte_view("ü")})
    CHECK(parse_octets(show_octets(v)) == bytes(v));
}

TEST_CASE("durations have units") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("20us") == 20us);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("2m") == 2min);
  CHECK(parse_duration("7") == 7s);
  for (const char* wrong : {"", "s", "5h5", "-1s", "1e99", "ten", "nan", "inf"})
    CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("text is broken at blanks, and within a word only if that is too long") {
  using lines = std::vector<std::string>;
  CHECK(lines_of("", 5) == lines{""});
  CHECK(lines_of("one two three", 20) == lines{"one two three"});
  CHECK(lines_of("one two three", 7) == lines{"one two", "three"});
  CHECK(lines_of("one   two", 4) == lines{"one", "two"});
  CHECK(lines_of("  abcdefgh", 4) == lines{"  ab", "cdef", "gh"});
  CHECK(lines_of("größe größe", 5) == lines{"größe", "größe"});
  CHECK(lines_of("abc", 0) == lines{"a", "b", "c"});
  CHECK(lines_of("lost, for 24.3 s", 15) ==
        lines{"lost, for", "24.3 s"});  // a unit stays with its number
  CHECK(lines_of("12.5 s", 4) == lines{"12.5", "s"});
  CHECK(lines_of("/var/lib/ctdb/a.tdb", 10) == lines{"/var/lib/", "ctdb/a.tdb"});
  CHECK(text_width(paint(style::bad, "three", true)) == 5);
  CHECK(lines_of(paint(style::bad, "one two", true), 3).size() == 2);
  CHECK(wrapped("node 1: one two three", 12, 4) == "node 1: one\n    two\n    three");
  CHECK(two_columns("-x", "what it does", 8, 13) == "  -x    what\n        it\n        does\n");
  CHECK(two_columns("--a-long-name", "help", 8, 13) == "  --a-long-name\n        help\n");
}

TEST_CASE("an example that is too wide can still be copied") {
  const std::string text =
      "floe drill run a.drill --seeds 9   # what it is for, in words\n"
      "  floe x 'a b c d e f g h i j k l' y\n"
      "Verbs: lock, unlock, read, store, attach\n";
  CHECK(example_text(text, std::string::npos) == text);
  CHECK(example_text(text, 26) ==
        "# what it is for, in words\n"
        "floe drill run a.drill \\\n    --seeds 9\n"
        "  floe x \\\n    'a b c d e f g h i j k l' y\n"
        "Verbs: lock, unlock, read,\n  store, attach\n");
}

TEST_CASE("a table that is too wide breaks its widest text, never its numbers") {
  const std::vector<column> columns{{"DATABASE"}, {"N", true}, {"WHY"}};
  const std::vector<std::vector<cell>> rows{
      {"locking.tdb", "12345", "a client of node 1 holds a record lock there"}};
  for (const std::size_t limit : {40U, 50U}) {
    const auto text = table_text(columns, rows, false, limit);
    CHECK(text.find("12345") != text.npos);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      CHECK(end - at <= limit);
      at = end + 1;
    }
  }
  CHECK(table_text(columns, rows, false, std::string::npos) ==
        "DATABASE         N  WHY\n"
        "locking.tdb  12345  a client of node 1 holds a record lock there\n");
}

TEST_CASE(
    "words of a table are cut only where nothing else helps; numbers without room stand one below "
    "the other") {
  const std::vector<column> columns{{"NAME"}, {"N", true}, {"WHY"}};
  const std::vector<std::vector<cell>> rows{{"a_name_of_one_word", "12345", "held by a client"}};
  CHECK(table_text(columns, rows, false, 40) ==
        "NAME                    N  WHY\n"
        "a_name_of_one_word  12345  held by a\n"
        "                           client\n");
  CHECK(table_text(columns, rows, false, 30) ==
        "NAME            N  WHY\n"
        "a_name_of_  12345  held by a\n"
        "one_word           client\n");
  CHECK(table_text({{"A", true}, {"A LONG ONE", true}, {"B"}},
                   {{"1234567890", "1234567890", "text"}, {"1", "2", ""}}, false, 24) ==
        "A           1234567890\n"
        "A LONG ONE  1234567890\n"
        "B           text\n"
        "\n"
        "A           1\n"
        "A LONG ONE  2\n"
        "B\n");
}

TEST_CASE("spare columns are left out where a table is too wide, and only there") {
  const std::vector<column> columns{{"KEY"}, {"SINCE", false, true}, {"FOR", true}};
  const std::vector<std::vector<cell>> rows{{"k1", "10:00:00.103", "1.5 s"}};
  CHECK(table_text(columns, rows, false, 30) ==
        "KEY  SINCE           FOR\nk1   10:00:00.103  1.5 s\n");
  CHECK(table_text(columns, rows, false, 20) == "KEY    FOR\nk1   1.5 s\n");
}

TEST_CASE("a misspelt word finds its neighbour, a strange one none") {
  constexpr std::array words =
      std::to_array<std::string_view>({"status", "statistics", "locks", "lock", "RecoverTimeout"});
  CHECK(closest("staus", words) == "status");
  CHECK(closest("sttaus", words) == "status");
  CHECK(closest("lokcs", words) == "locks");
  CHECK(closest("recovertimeut", words) == "RecoverTimeout");
  CHECK_FALSE(closest("frobnicate", words));
  CHECK_FALSE(closest("x", words));
}

TEST_CASE("lines are split into words as a shell would") {
  using words = std::vector<std::string>;
  CHECK(split_words("  store L  \"a b\" ") == words{"store", "L", "a b"});
  CHECK(split_words("x 'it is' y\"z\"") == words{"x", "it is", "yz"});
  CHECK(split_words("a # rest") == words{"a"});
  CHECK(split_words("a ''") == words{"a", ""});
  CHECK(split_words("") == words{});
  CHECK_FALSE(split_words("a 'b"));
}

TEST_CASE("tables are aligned by characters and end without blanks") {
  table t({{"NODE", true}, {"NAME"}, {"NOTE"}});
  t.row({"0", "größe", ""});
  t.row({"10", "x", "y"});
  CHECK(t.text(false) == "NODE  NAME   NOTE\n   0  größe\n  10  x      y\n");
  CHECK(table({{"A"}}).text(false).empty());
}

TEST_CASE("colours only where they are wanted") {
  table t({{"A"}, {"B"}});
  t.row({{"x", style::good}, {"y", style::plain}});
  CHECK(t.text(false).find('\033') == std::string::npos);
  CHECK(t.text(true).find("\033[32mx\033[0m  y") != std::string::npos);
}

TEST_CASE("ages are short") {
  CHECK(age_text(0.25) == "0.2 ms");
  CHECK(age_text(123.4) == "123 ms");
  CHECK(age_text(2500) == "2.5 s");
  CHECK(age_text(600'000) == "10 min");
  CHECK(age_text(10'800'000) == "3.0 h");
  CHECK(age_text(86'400'000.0 * 5) == "5 days");
}

TEST_CASE("names of strangers do nothing to a terminal") {
  using wire::visible;
  CHECK(visible("locking.tdb, größe, \xf0\x9f\x98\x80, C:\\x") ==
        "locking.tdb, größe, \xf0\x9f\x98\x80, C:\\x");
  CHECK(visible(byte_view("\x1b[2J\n\0\x7f", 7)) == "\\x1b[2J\\x0a\\x00\\x7f");
  CHECK(visible("\xc2\x9b"
                "31m \xe2\x80\xae \xe2\x81\xa6") == "\\u009b31m \\u202e \\u2066");
  // no UTF-8: lone, overlong, cut off, a surrogate, beyond the last one
  CHECK(visible("\xff \x80 \xc0\xaf \xe2\x80") == "\\xff \\x80 \\xc0\\xaf \\xe2\\x80");
  CHECK(visible("\xed\xa0\x80 \xf4\x90\x80\x80") == "\\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
  CHECK(wire::visible_lines("a\tb\n\033[1;31mred\033[0m\033[2J", true) ==
        "a\tb\n\033[1;31mred\033[0m\\x1b[2J");
  CHECK(wire::visible_lines("a\tb\n\033[1;31mred", false) == "a\tb\n\\x1b[1;31mred");
  table t({{"NAME"}, {"N", true}});
  t.row({{"a\nb\033[31m", style::bold}, "1"});
  CHECK(t.text(false) == "NAME            N\na\\x0ab\\x1b[31m  1\n");
  wire::json_writer j;
  j.begin_object();
  j.text("name", "\x1b\x7f\xc2\x9b\xe2\x80\xae\xff");
  j.end();
  CHECK(j.str() == "{\"name\": \"\\u001b\\u007f\\u009b\\u202e\xef\xbf\xbd\"}");
}

TEST_CASE("where a table is too wide the titles of numbers take several lines") {
  table t({{"DATABASE"}, {"RECORDS HERE", true}, {"MIGRATIONS PENDING", true}});
  t.row({"locking.tdb", "12", "0"});
  CHECK(t.text(false) ==
        "DATABASE     RECORDS HERE  MIGRATIONS PENDING\n"
        "locking.tdb            12                   0\n");
  const std::vector<column> columns{{"DATABASE"}, {"RECORDS HERE", true}, {"MIGRATIONS", true}};
  CHECK(table_text(columns, {{"locking.tdb", "12", "0"}}, false, 32) ==
        "DATABASE     RECORDS  MIGRATIONS\n"
        "                HERE\n"
        "locking.tdb       12           0\n");
}
