/// floe readkey: one record, brought here first so that nobody has a newer copy.
#include <fmt/format.h>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/named_record.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/packet.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe::cli {
namespace {

/// CTDB's own way, which works with a ctdbd too: the record, or a copy that is only read from, comes here and its content
/// is the answer.
result<read_record_answer> fetch(blocking_client& c, db_id db, byte_view key, bool copy,
                                 duration patience) {
  const auto r = c.wait<client_reply>([&](auto done) {
    c.async().send_call({.flags = copy ? call_flag::want_readonly : call_flag::immediate_migration,
                         .db = db,
                         .callid = call_id::fetch_with_header,
                         .key = key,
                         .data = {}},
                        patience, done);
  });
  if (!r) return std::unexpected(r.error());
  if (r->data.size() < record_header::wire_size)
    return std::unexpected(
        client_error{client_errc::bad_reply, 0, "a record without a header", pnn::current});
  const auto data = r->data.substr(record_header::wire_size);
  return read_record_answer{!data.empty(), load_header(r->data.data()), bytes(data)};
}

bool is_floe(blocking_client& c, duration patience) {
  return c.control<control::get_node_status>(pnn::current, {}, patience).has_value();
}

int run_readkey(context& c, const arguments& a) {
  if (const auto& word = a["readonly"]; !word.empty() && word != "readonly")
    return c.misused(fmt::format("readkey: \"{}\" is not readonly", word));
  const auto of = open_record(c, a, "readkey");
  if (!of) return of.error();
  const auto from = a.has("--local") ? read_from::this_node : read_from::owner;
  auto r = of->node->read(of->db, of->key, c.patience(), from);
  if (!r && r.error().code == client_errc::refused && from == read_from::owner &&
      !is_floe(*of->node, c.patience()))
    r = fetch(*of->node, of->db, of->key, !a["readonly"].empty(), c.patience());
  if (!r) return c.fail(of->what, r.error());
  if (c.options.json) {
    auto j = open_json("readkey");
    j.text("key", show_octets(of->key));
    j.boolean("found", r->found);
    if (r->found)
      j.text("value", show_octets(r->data));
    else
      j.null("value");
    j.number("rsn", number(r->header.rsn));
    j.number("dmaster", number(r->header.dmaster));
    j.number("flags", r->header.flags);
    print_json(std::move(j));
  } else if (r->found) {
    print(show_octets(r->data) + "\n");
  } else {
    print_error(of->what + ": no such record");
  }
  return r->found ? done : says_no;
}

}  // namespace

command readkey_command() {
  return {
      .name = "readkey",
      .group = "Records",
      .summary =
          "the value of a record; exit 4 if there is none. It comes here, or a read-only copy "
          "of it where the database allows one (setdbreadonly)",
      .example =
          "floe --base DIR readkey locking.tdb mykey\nfloe --base DIR readkey locking.tdb "
          "0x666f6f00",
      .positionals = {{"DB", "name, or 0x and id"},
                      {"KEY", "text, or octets as 0x..."},
                      {"readonly", "CTDB's word: of a ctdbd, too, a copy will do", false}},
      .options = {{"--local", nullptr, "this node's own copy as it is, without moving the record"}},
      .run = run_readkey};
}

}  // namespace floe::cli
