// The tables of controls, messages, tunables and flags: nothing missing, nothing double.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "protocol/controls.hpp"
#include "protocol/messages.hpp"
#include "protocol/node_flags_text.hpp"
#include "protocol/types/all.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/protocol/golden.hpp"

using namespace floe;

namespace {

/// Numbers that never meant anything, or whose meaning was taken away together with their name.
constexpr std::array gaps{2, 12, 28, 38, 39, 40, 41, 68, 73, 92, 93, 94, 95, 106};
constexpr std::uint32_t last_opcode = 162;

/// Of these only the layout is known, not a packet.
constexpr std::array never_captured{
    control::statistics_reset,  control::enable_seqnum,         control::update_seqnum,
    control::del_public_ip,     control::traverse_kill,         control::recd_reclock_latency,
    control::set_recmasterrole, control::get_ban_state,         control::set_db_sticky,
    control::reload_public_ips, control::db_transaction_cancel, control::check_pid_srvid};

}  // namespace

TEST_CASE("each opcode up to the last has a row or is a known gap") {
  for (std::uint32_t n = 0; n <= last_opcode; ++n) {
    INFO("opcode " << n);
    const bool gap = std::ranges::find(gaps, static_cast<int>(n)) != gaps.end();
    CHECK((find_control(control{n}) == nullptr) == gap);
  }
  CHECK(find_control(control{last_opcode + 1}) == nullptr);
  CHECK(find_control(control{0xFFFFFFFF}) == nullptr);
}

TEST_CASE("no opcode and no name occurs twice") {
  std::set<std::uint32_t> opcodes;
  std::set<byte_view> names;
  for (const auto& c : all_controls()) {
    INFO(c.name);
    CHECK(opcodes.insert(number(c.opcode)).second);
    CHECK(names.insert(c.name).second);
    CHECK(find_control(c.opcode) == &c);
    CHECK(find_control(c.name) == &c);
    CHECK(find_control(c.field) == &c);
    CHECK(control_name(c.opcode) == c.name);
  }
}

TEST_CASE("a row says what its control does") {
  std::uint32_t last_own = 0;
  for (const auto& c : all_controls()) {
    INFO(c.name);
    CHECK(!c.does.empty());
    const auto same = [](char a, char b) { return std::toupper(a) == std::toupper(b); };
    CHECK(std::ranges::equal(c.field, c.name, same));
    CHECK(c.is(control_trait::own) == (number(c.opcode) >= 0x464C0000));
    if (c.is(control_trait::own)) {  // in order: the next number is seen at once
      CHECK(number(c.opcode) > last_own);
      last_own = number(c.opcode);
    }
    CHECK(c.is(control_trait::later) == (number(c.opcode) >= 159 && number(c.opcode) <= 162));
    // a demand for less than the type needs would be none
    if (c.size.is == size_rule::kind::at_least) CHECK(c.size.min >= c.request->min_size);
  }
}

TEST_CASE("record controls of floe come from local clients only") {
  for (const auto& c : all_controls()) {
    if (c.field.starts_with("record_")) CHECK(c.from == sender::local);
  }
}

TEST_CASE("every opcode of the captures is in the table under the name that it has there") {
  std::set<std::uint32_t> seen;
  for (const auto& c : golden::all()) {
    if (!c.opcode || !c.line.contains("control_name")) continue;
    const auto* row = find_control(*c.opcode);
    if (row == nullptr)
      CHECK(c.line.at("control_name") == "UNKNOWN");
    else
      CHECK(c.line.at("control_name").get<std::string>() == row->name);
    seen.insert(number(*c.opcode));
  }
  for (const auto& c : all_controls()) {
    if (c.is(control_trait::later) || c.is(control_trait::own) || c.is(control_trait::obsolete)) {
      continue;
    }
    INFO(c.name);
    const bool captured = std::ranges::find(never_captured, c.opcode) == never_captured.end();
    CHECK(seen.contains(number(c.opcode)) == captured);
  }
}

TEST_CASE("a request's size is judged as a daemon judges it") {
  auto judged = [](control c, byte_view data) {
    return check_request(*find_control(c), data).has_value();
  };
  SUBCASE("exact") {
    CHECK(judged(control::getdbpath, byte_view("\1\0\0\0", 4)));
    CHECK(!judged(control::getdbpath, byte_view("\1\0\0\0x", 5)));
    CHECK(!judged(control::getdbpath, byte_view("\1\0\0", 3)));
    CHECK(judged(control::statistics, ""));
    CHECK(!judged(control::statistics, "x"));
  }
  SUBCASE("not looked at") {
    CHECK(judged(control::get_pid, "anything"));
    CHECK(judged(control::db_detach, byte_view("\1\0\0\0x", 5)));
    CHECK(!judged(control::db_detach, byte_view("\1\0\0", 3)));
  }
  SUBCASE("at least") {
    CHECK(judged(control::get_tunable, byte_view("\4\0\0\0abc\0", 8)));
    CHECK(judged(control::get_tunable, byte_view("\4\0\0\0abc\0xyz", 11)));
    CHECK(!judged(control::get_tunable, byte_view("\2\0\0\0a\0", 6)));
  }
  SUBCASE("a name with its NUL") {
    CHECK(judged(control::db_attach, byte_view("x.tdb\0", 6)));
    CHECK(!judged(control::db_attach, "x.tdb"));
    CHECK(!judged(control::db_attach, ""));
  }
}

TEST_CASE("typed access goes by the table") {
  const bytes request = encode_request<control::db_transaction_start>({db_id{7}, generation{9}});
  const auto back = decode_request<control::db_transaction_start>(request);
  REQUIRE(back.has_value());
  CHECK(back->tid == generation{9});
  CHECK(!decode_request<control::db_transaction_start>(request + "x").has_value());
  CHECK(decode_request<control::db_attach>(byte_view("v.tdb\0", 6))->value == "v.tdb");
  const auto bad = decode_request<control::db_attach>("v.tdb");
  REQUIRE(!bad.has_value());
  CHECK(bad.error().why == wire::fault::not_terminated);
  CHECK(decode_reply<control::get_runstate>(byte_view("\5\0\0\0", 4)) == runstate::running);
}

TEST_CASE("no srvid means two things") {
  std::set<std::uint64_t> ids;
  for (const auto& m : all_messages()) {
    INFO(m.name);
    CHECK(ids.insert(number(m.first)).second);
    CHECK(find_message(m.first) == &m);
    CHECK((number(m.first) & ~m.mask) == 0);
    // the range of one row does not reach into another
    CHECK(find_message(srvid{number(m.first) | ~m.mask}) == &m);
  }
  CHECK(find_message(srvid{0x1234}) == nullptr);
  CHECK(find_message(nth(message::recovery, 77))->name == "RECOVERY");
}

TEST_CASE("tunables have 62 places on the wire and their names come in the order of a daemon") {
  CHECK(wire_tunable_count == 62);
  std::string listed;
  nlohmann::json values;
  for (const auto& c : golden::all()) {
    if (c.opcode == control::list_tunables && c.line.at("op") == "REPLY_CONTROL") {
      listed = c.line.at("fields").at("data").at("list");
    }
    if (c.id == "reply-053-get_all_tunables-d2c-1") values = c.line.at("fields").at("data");
  }
  // ours come behind what a daemon of 4.17 lists
  CHECK(tunable_names().starts_with(listed));
  REQUIRE(values.is_object());
  const tunable_list defaults;
  for (const auto& t : all_tunables()) {
    INFO(t.name);
    CHECK(info_of(t.which).name == t.name);
    if (t.own) continue;
    CHECK(values.at(std::string(t.field)) == defaults[t.which]);
    if (!t.obsolete) CHECK(!t.meaning.empty());
  }
}

TEST_CASE("tunables are found by name, whatever its case") {
  tunable_list values;
  CHECK(values.get("controltimeout") == 60u);
  CHECK(values.set("CONTROLTIMEOUT", 7));
  CHECK(values[tunable::control_timeout] == 7);
  CHECK(!values.set("ControlTimeou", 1));
  CHECK(values.get("") == std::nullopt);
  CHECK(find_tunable("VacuumLimit")->obsolete);
}

TEST_CASE("flags have names") {
  CHECK(node_flags_text(0) == "");
  CHECK(node_flags_text(node_flag::banned | node_flag::stopped) == "BANNED|STOPPED");
  CHECK(node_flags_in("BANNED|0x400|STOPPED") == (node_flag::banned | node_flag::stopped));
  CHECK(node_flags_in("OK") == 0);
  CHECK(node_flags_in("STOPPE") == 0);
  CHECK(record_flags_text(record_flag::migrated_with_data) == "MIGRATED_WITH_DATA");
  CHECK(db_flags_text(0x31) == "PERSISTENT|0x30");
  CHECK(pnn_text(number(pnn::broadcast_all)) == "BROADCAST_ALL");
  CHECK(pnn_text(3) == "");
  CHECK(runstate_text(5) == "RUNNING");
  CHECK(runstate_text(7) == "");
  CHECK(version_text(protocol_version_4_17) == "4.17");
  CHECK(srvid_text(number(message::leader)) == "LEADER");
  CHECK(seconds_text(1795329594) == "2026-11-22 06:39:54 UTC");
  CHECK(seconds_text(0) == "");
}
