/// The table of a node's controls: a control is one row and one function; sizes, senders and types are its business.
#include "actors/node/control_table.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "actors/environment.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

using namespace floe;

namespace {

/// Everything a service can say, in every shape that a handler may have.
struct service {
  vnn_map map{.generation = generation{7}, .slots = {pnn{0}, pnn{2}}};
  std::vector<pnn> asked_by;

  outcome_of<control::getvnnmap> get_vnnmap() const { return map; }
  outcome_of<control::setvnnmap> set_vnnmap(const request_of<control::setvnnmap>& m,
                                            const caller& by) {
    asked_by.push_back(by.from);
    if (m.slots.empty()) return refuse("bad vnn map");
    map = m;
    return {};
  }
  outcome_of<control::get_pnn> get_pnn(const caller& by) const {
    return status_of(number(by.from));
  }
  void statistics_reset(const answer_to<control::statistics_reset>& answer) {
    kept.push_back(answer);
  }
  outcome_of<control::tunnel_register> local_only() const { return {}; }
  outcome_of<control::set_hold_phase> hold(const request_of<control::set_hold_phase>& phase) {
    held_at = phase.value;
    return {};
  }
  std::string held_at;
  std::vector<answer_to<control::statistics_reset>> kept;
};

struct databases {
  struct arrived {
    db_id db;
    db_control control;
  };
  std::vector<arrived> all;
  void forward(db_id db, const caller&, db_control m) { all.push_back({db, std::move(m)}); }
};

struct fixture {
  std::vector<std::string> lines;
  std::unique_ptr<floe::log> log =
      function_log([this](log_level, std::string_view line) { lines.emplace_back(line); });
  control_table table{*log};
  service s;

  std::vector<control_answer> answers;
  void ask(control c, byte_view data, std::optional<client_ref> client = std::nullopt) {
    table.carry_out({.opcode = c, .from = pnn{3}, .client = std::move(client)}, data,
                    replier([this](control_answer a) { answers.push_back(std::move(a)); }));
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "adding a control adds one row: it was unknown, and is carried out") {
  const auto before = table.size();
  ask(control::getvnnmap, {});
  CHECK(answers.back().status == -1);
  CHECK(answers.back().text.empty());  // as ctdbd answers unknown opcodes

  table.add(handle<control::getvnnmap>(s, &service::get_vnnmap));
  CHECK(table.size() == before + 1);
  CHECK(table.knows(control::getvnnmap));
  ask(control::getvnnmap, {});
  CHECK(answers.back().status == 0);
  CHECK(answers.back().data == encode_reply<control::getvnnmap>(s.map));
}

TEST_CASE_FIXTURE(
    fixture, "a request reaches its handler as a value, and a refusal comes back with its cause") {
  table.add(handle<control::setvnnmap>(s, &service::set_vnnmap));
  const vnn_map wanted{.generation = generation{9}, .slots = {pnn{1}}};
  ask(control::setvnnmap, encode_request<control::setvnnmap>(wanted));
  CHECK(answers.back().status == 0);
  CHECK(answers.back().cause == failure_cause::none);
  CHECK(s.map == wanted);
  CHECK(s.asked_by == std::vector{pnn{3}});

  ask(control::setvnnmap, encode_request<control::setvnnmap>({.generation = generation{9}}));
  CHECK(answers.back().status == -1);
  CHECK(answers.back().cause == failure_cause::refused);
  CHECK(answers.back().text == "bad vnn map");
}

TEST_CASE_FIXTURE(fixture, "what is no request of its control never reaches the handler") {
  table.add(handle<control::setvnnmap>(s, &service::set_vnnmap));
  for (const byte_view bad :
       {byte_view(""), byte_view("\1\0\0", 3), byte_view("\1\0\0\0\377\377\377\377", 8)}) {
    ask(control::setvnnmap, bad);
    CHECK(answers.back().status == -1);
  }
  CHECK(s.asked_by.empty());
  CHECK(answers.size() == 3);
  CHECK(lines.size() >= 1);
}

TEST_CASE_FIXTURE(fixture, "controls for clients of this node are refused to others") {
  table.add(handle<control::tunnel_register>(s, &service::local_only));
  ask(control::tunnel_register, {});
  CHECK(answers.back().status == -1);
  ask(control::tunnel_register, {}, client_ref{.id = 1, .pid = 1, .name = "x", .session = {}});
  CHECK(answers.back().status == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "a status can be the answer, and an answer can come later or be forgotten") {
  table.add(handle<control::get_pnn>(s, &service::get_pnn));
  table.add(handle<control::statistics_reset>(s, &service::statistics_reset));
  ask(control::get_pnn, {});
  CHECK(answers.back().status == 3);
  ask(control::statistics_reset, {});
  ask(control::statistics_reset, {});
  REQUIRE(answers.size() == 1);
  s.kept.front().good();
  CHECK(answers.back().status == 0);
  s.kept.clear();
  REQUIRE(answers.size() == 3);
  CHECK(answers.back().cause == failure_cause::stopped);
}

TEST_CASE_FIXTURE(fixture,
                  "a control of a database travels to it decoded, found by its id or by its lock") {
  databases d;
  table.add(to_database<control::db_pull>(d));
  table.add(to_database<control::record_unlock>(d));
  ask(control::db_pull, encode_request<control::db_pull>(
                            {.db_id = db_id{0x1234}, .lmaster = pnn{0}, .srvid = srvid{77}}));
  REQUIRE(d.all.size() == 1);
  CHECK(d.all[0].db == db_id{0x1234});
  CHECK(d.all[0].control.request<control::db_pull>().srvid == srvid{77});
  CHECK(d.all[0].control.from == pnn{3});

  ask(control::record_unlock,
      encode_request<control::record_unlock>({.lock_id = (0xabcdULL << 32) | 5}),
      client_ref{.id = 1, .pid = 1, .name = "x", .session = {}});
  REQUIRE(d.all.size() == 2);
  CHECK(d.all[1].db == db_id{0xabcd});
  CHECK(d.all[1].control.request<control::record_unlock>().lock_id == ((0xabcdULL << 32) | 5));
}

TEST_CASE(
    "the rows of controls.def say which controls belong to a database: those that name one, and no "
    "others") {
  for (const auto& row : all_controls()) {
    if (!row.is(control_trait::of_db)) continue;
    CAPTURE(row.name);
    const std::string type = row.request->name;
    CHECK(type != "nothing");
    CHECK_FALSE(row.is(control_trait::by_srvid));
  }
}

TEST_CASE("an answer from a node goes to the database that asked it") {
  request_ids ids;
  const auto a = ids.take_for(db_id{1});
  const auto b = ids.take_for(db_id{2});
  const auto c = ids.take();
  CHECK(a != b);
  CHECK(ids.asked_by(a) == db_id{1});
  CHECK(ids.asked_by(b) == db_id{2});
  CHECK_FALSE(ids.asked_by(c));
  ids.answered(a);
  CHECK_FALSE(ids.asked_by(a));
  ids.last = request_ids::highest - 1;  // numbers wrap, and never meet one that is open
  (void)ids.take();
  for (int i = 0; i < 10; ++i) CHECK(ids.take_for(db_id{3}) != b);
  ids.forget_all_of(db_id{2});
  CHECK_FALSE(ids.asked_by(b));
}

TEST_CASE_FIXTURE(fixture, "a text that would take long to read is refused unread") {
  table.add(handle<control::set_hold_phase>(s, &service::hold));
  ask(control::set_hold_phase, encode_request<control::set_hold_phase>({"freeze@locking.tdb"}));
  CHECK(answers.back().status == 0);
  ask(control::set_hold_phase, encode_request<control::set_hold_phase>({bytes(1 << 20, '[')}));
  CHECK(answers.back().status == -1);
  CHECK(answers.back().text.find("are the most") != std::string::npos);
  CHECK(s.held_at == "freeze@locking.tdb");
}
