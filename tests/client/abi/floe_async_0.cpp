/*
 * What a program that was compiled against libfloe-async.so.0 relies on beside its symbols (floe_async_0.txt): the sizes and
 * layouts of what is passed by value, and numbers. This file does not compile when a header breaks one of those; that
 * would be another version of the library (soversion in actors/async/meson.build).
 */
#include <cstddef>
#include <floe/async.hpp>
#include <type_traits>

namespace fa = floe::async;

// one pointer, or a shared one: what is behind it is the library's
static_assert(sizeof(fa::client) == 2 * sizeof(void*));
static_assert(sizeof(fa::record_lock) == sizeof(void*));
static_assert(sizeof(fa::transaction) == sizeof(void*));
static_assert(!std::is_polymorphic_v<fa::client> && !std::is_polymorphic_v<fa::record_lock> &&
              !std::is_polymorphic_v<fa::transaction>);
static_assert(std::is_nothrow_move_constructible_v<fa::client> &&
              !std::is_copy_constructible_v<fa::client>);
static_assert(std::is_nothrow_move_constructible_v<fa::record_lock> &&
              !std::is_copy_constructible_v<fa::record_lock>);
static_assert(std::is_nothrow_move_constructible_v<fa::transaction> &&
              !std::is_copy_constructible_v<fa::transaction>);

#define NUMBER(what, is) static_assert(static_cast<unsigned long>(what) == (is), #what " is " #is)
#define PLACE(type, member, is) static_assert(offsetof(type, member) == (is), #type "::" #member)
constexpr auto text = sizeof(std::string), call = sizeof(std::function<void()>);

NUMBER(sizeof(fa::error), 16 + text);
PLACE(fa::error, code, 0);
PLACE(fa::error, status, 4);
PLACE(fa::error, node, 8);
PLACE(fa::error, text, 16);
NUMBER(sizeof(fa::options), text + 32);
PLACE(fa::options, where, 0);
PLACE(fa::options, reconnect, text);
PLACE(fa::options, pause, text + 8);
PLACE(fa::options, hello, text + 16);
PLACE(fa::options, record_tables, text + 24);
NUMBER(sizeof(fa::events), 2 * call);
NUMBER(sizeof(fa::record_header), 16);
PLACE(fa::record_header, rsn, 0);
PLACE(fa::record_header, dmaster, 8);
PLACE(fa::record_header, flags, 12);
PLACE(fa::record, exists, 0);
PLACE(fa::record, data, 8);
PLACE(fa::record, header, 8 + text);
NUMBER(sizeof(fa::record), 24 + text);
NUMBER(sizeof(fa::shown_record), 2 * sizeof(std::string_view) + 16);
NUMBER(sizeof(fa::message), 16 + sizeof(std::string_view));
NUMBER(sizeof(fa::tunnel_packet), 16 + sizeof(std::string_view));
NUMBER(sizeof(fa::reply), 8 + text);
NUMBER(sizeof(fa::server_id), 24);
NUMBER(sizeof(fa::recovery_change), 16);
NUMBER(sizeof(fa::committed), 16);
NUMBER(sizeof(fa::vnn_map), 8 + sizeof(std::vector<int>));
NUMBER(sizeof(fa::node_state), 8 + text);
NUMBER(sizeof(fa::database_state), 8);
NUMBER(sizeof(fa::counters), 80);
NUMBER(sizeof(fa::question<int>), 8 + text + sizeof(void*));

NUMBER(fa::errc::not_connected, 1);
NUMBER(fa::errc::timed_out, 2);
NUMBER(fa::errc::refused, 3);
NUMBER(fa::errc::disconnected, 4);
NUMBER(fa::errc::bad_reply, 5);
NUMBER(fa::errc::no_lock, 6);
NUMBER(fa::errc::no_database, 7);
NUMBER(fa::errc::not_stored, 8);
NUMBER(fa::kind::any, 0);
NUMBER(fa::kind::persistent, 1);
NUMBER(fa::kind::replicated, 2);
NUMBER(fa::read_from::owner, 0);
NUMBER(fa::read_from::settled, 1);
NUMBER(fa::read_from::copy, 2);
NUMBER(fa::which_nodes::all, 0);
NUMBER(fa::which_nodes::connected, 1);
NUMBER(fa::which_nodes::active, 2);
NUMBER(fa::phase::serving, 0);
NUMBER(fa::phase::freezing, 1);
NUMBER(fa::phase::frozen, 2);
NUMBER(fa::phase::exchanging, 3);
NUMBER(fa::here, 0xF0000001);
NUMBER(fa::all_nodes, 0xF0000002);
NUMBER(fa::active_nodes, 0xF0000003);
NUMBER(fa::connected_nodes, 0xF0000004);
