#include "protocol/failure_cause.hpp"

#include <utility>

#include "protocol/lock_taken.hpp"

namespace floe {
namespace {

/// The causes that an answer can carry, and the word for each on the wire.
struct wire_word {
  failure_cause cause;
  byte_view word;
};
constexpr wire_word wire_words[] = {
    {failure_cause::refused, "refused"},           {failure_cause::timed_out, "timed-out"},
    {failure_cause::disconnected, "disconnected"}, {failure_cause::bad_answer, "bad-answer"},
    {failure_cause::stopped, "stopped"},           {failure_cause::apart, "apart"},
};

byte_view word_of(failure_cause cause) {
  for (const auto& w : wire_words)
    if (w.cause == cause) return w.word;
  return word_of(failure_cause::refused);  // for the asker it is no more than that
}

failure_cause cause_of_text(byte_view text) {
  if (text == no_connection_text || text == broken_connection_text)
    return failure_cause::disconnected;
  if (text == control_timeout_text) return failure_cause::timed_out;
  return text == lock_taken_text ? failure_cause::unfit : failure_cause::refused;
}

}  // namespace

std::string_view name(failure_cause c) {
  switch (c) {
    case failure_cause::none: return "did not fail";
    case failure_cause::refused: return "refused";
    case failure_cause::timed_out: return "timed out";
    case failure_cause::disconnected: return "disconnected";
    case failure_cause::bad_answer: return "answered what cannot be read";
    case failure_cause::count_mismatch: return "sent another number of records";
    case failure_cause::name_conflict: return "name conflict";
    case failure_cause::flag_conflict: return "flag conflict";
    case failure_cause::content_differs: return "has other contents than most nodes";
    case failure_cause::outdated: return "is not as it was surveyed";
    case failure_cause::deadline: return "out of time";
    case failure_cause::deadlock: return "deadlock";
    case failure_cause::local: return "failed here";
    case failure_cause::apart: return "takes no part";
    case failure_cause::unfit: return "may not lead";
    case failure_cause::stopped: return "stopped";
  }
  std::unreachable();
}

bytes error_field(failure_cause cause, byte_view text) {
  if (cause == failure_cause::none) return bytes(text);
  const byte_view shown = text.substr(0, text.find('\0'));
  bytes field(shown);
  if (const auto word = word_of(cause); word != word_of(cause_of_text(shown))) {
    field += '\0';
    field += word;
  }
  return field;
}

spoken_failure read_error_field(byte_view field) {
  const auto nul = field.find('\0');
  spoken_failure said{cause_of_text(field.substr(0, nul)), std::string(field.substr(0, nul))};
  if (nul == byte_view::npos) return said;
  const byte_view rest = field.substr(nul + 1);
  const byte_view word = rest.substr(0, rest.find('\0'));
  for (const auto& w : wire_words)
    if (w.word == word) said.cause = w.cause;
  return said;
}

}  // namespace floe
