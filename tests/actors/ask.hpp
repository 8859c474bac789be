#pragma once
/// What clients ask in simulated clusters, run to its end. A control by its row, so that a test names no payload:
///
///     CHECK(ask<control::set_db_readonly>(s, c, db).has_value());
///     const auto map = answer_of<control::getvnnmap>(s, c)->value;
#include <doctest/doctest.h>

#include <memory>
#include <optional>

#include "protocol/types/tunable_value.hpp"
#include "tests/actors/sim_cluster.hpp"

namespace floe::test {

/// Runs `start`, which is given the function to call at the end, until that is called.
template <class T, class Start>
result<T> finish(sim_cluster& s, Start start, duration limit = 120s) {
  auto got = std::make_shared<std::optional<result<T>>>();
  start([got](const result<T>& r) { *got = r; });
  REQUIRE(s.run([&] { return got->has_value(); }, limit));
  return **got;
}

struct ask_options {
  pnn of = pnn::current;
  duration patience = 10s;
  request_options options = {};
};

template <control C>
result<client_answer<reply_of<C>>> ask(sim_cluster& s, client& c, const request_of<C>& request = {},
                                       ask_options how = {}) {
  return finish<client_answer<reply_of<C>>>(
      s, [&](auto done) { c.control<C>(how.of, request, how.patience, done, how.options); });
}

/// One that must be carried out.
template <control C>
client_answer<reply_of<C>> answer_of(sim_cluster& s, client& c, const request_of<C>& request = {},
                                     ask_options how = {}) {
  auto r = ask<C>(s, c, request, how);
  INFO((r ? "" : r.error().describe()));
  REQUIRE(r.has_value());
  return *r;
}

/// A tunable of the node that is asked.
inline void set(sim_cluster& s, client& c, tunable t, std::uint32_t value, pnn of = pnn::current) {
  answer_of<control::set_tunable>(s, c, {.value = value, .name = info_of(t).name}, {.of = of});
}

/// A control that the test chooses while it runs; `data` as its row has it.
inline result<client_reply> ask_any(sim_cluster& s, client& c, control opcode, bytes data = {},
                                    ask_options how = {}) {
  return finish<client_reply>(s, [&](auto done) {
    c.send_control(how.of, opcode, std::move(data), how.patience, done, how.options);
  });
}

}  // namespace floe::test
