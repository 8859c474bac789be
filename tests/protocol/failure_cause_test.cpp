/// Failure causes in the error field of REPLY_CONTROL: what ctdbd's readers and floe's get from it.
#include <doctest/doctest.h>

#include "protocol/failure_cause.hpp"
#include "protocol/lock_taken.hpp"

using namespace floe;

namespace {
bytes text_for_ctdb(const bytes& field) { return field.substr(0, field.find('\0')); }
}  // namespace

TEST_CASE("a cause travels in the error field, and CTDB's readers see the text alone") {
  for (const auto cause :
       {failure_cause::refused, failure_cause::timed_out, failure_cause::disconnected,
        failure_cause::bad_answer, failure_cause::stopped, failure_cause::apart})
    for (const byte_view text : {byte_view(""), byte_view("no such thing"), no_connection_text,
                                 broken_connection_text, control_timeout_text}) {
      const bytes field = error_field(cause, text);
      CAPTURE(name(cause));
      CAPTURE(text);
      CHECK(text_for_ctdb(field) == text);
      CHECK(read_error_field(field).cause == cause);
      CHECK(read_error_field(field).text == text);
    }
}

TEST_CASE("where the text says the cause, the field is the text alone") {
  CHECK(error_field(failure_cause::refused, "unknown database") == "unknown database");
  CHECK(error_field(failure_cause::disconnected, no_connection_text) == no_connection_text);
  CHECK(error_field(failure_cause::disconnected, broken_connection_text) == broken_connection_text);
  CHECK(error_field(failure_cause::timed_out, control_timeout_text) == control_timeout_text);
  CHECK(error_field(failure_cause::none, "") == "");
}

TEST_CASE("who could take the cluster lock says so in ctdbd's words: the leader is unfit") {
  const bytes field = error_field(failure_cause::refused, lock_taken_text);
  CHECK(field == lock_taken_text);
  CHECK(read_error_field(field).cause == failure_cause::unfit);
}

TEST_CASE("causes of a recovery are a refusal to whoever asked by a packet") {
  for (const auto cause : {failure_cause::count_mismatch, failure_cause::deadlock,
                           failure_cause::local, failure_cause::unfit, failure_cause::deadline})
    CHECK(read_error_field(error_field(cause, "why")).cause == failure_cause::refused);
}

TEST_CASE("what others send is read without trust") {
  using namespace std::string_literals;
  CHECK(read_error_field("").cause == failure_cause::refused);
  CHECK(read_error_field("ctdb_control timed out\0"s).cause ==
        failure_cause::timed_out);  // a client library's NUL
  CHECK(read_error_field("x\0no such word"s).cause == failure_cause::refused);
  CHECK(read_error_field("x\0stopped\0\0"s).cause == failure_cause::stopped);
  CHECK(read_error_field("\0\0\0"s).text.empty());
  CHECK(error_field(failure_cause::refused, "a\0stopped"s) ==
        "a");  // a text cannot bring its own word
}
