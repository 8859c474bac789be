/// floe ptrans, pstore, pdelete, pfetch: transactions on persistent and replicated databases.
#include <fmt/format.h>

#include "actors/client/transaction.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/named_database.hpp"
#include "cli/named_record.hpp"
#include "cli/octet_file.hpp"
#include "cli/output.hpp"
#include "cli/transaction_input.hpp"
#include "cli/waiting_line.hpp"
#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/types/record_content.hpp"

namespace floe::cli {
namespace {

/// One transaction with all of these, to its end.
int commit(context& c, const arguments& a, const char* verb,
           const std::vector<key_and_value>& changes) {
  auto node = c.node();
  if (!node) return node.error();
  const auto what = fmt::format("{} {}", verb, a["DB"]);
  const auto db = find_named_database(**node, a["DB"], c.patience());
  if (!db) return c.fail(what, db.error());
  c.wants(db_id_of(g_lock_db), transaction_lock_key(*db));
  const waiting_line shown(**node, what);
  auto t = (*node)->wait<transaction::ptr>([&](auto finished) {
    transaction::start((*node)->async(), *db, transaction::mode::read_write, c.long_patience(),
                       finished);
  });
  if (!t) return c.fail(what, t.error());
  c.wants(*db, {});
  for (const auto& [key, value] : changes) {
    const auto stored = (*node)->wait<void>(
        [&](auto finished) { (*t)->store(key, value, c.long_patience(), finished); });
    if (!stored) {
      (void)(*node)->wait<void>([&](auto finished) { (*t)->cancel(c.patience(), finished); });
      return c.fail(what, stored.error());
    }
  }
  const auto changed = (*t)->changes();
  const auto end = (*node)->wait<commit_result>(
      [&](auto finished) { (*t)->commit(c.long_patience(), finished); });
  if (!end) return c.fail(what, end.error());
  if (c.options.json) {
    auto j = open_json(verb);
    j.text("db", a["DB"]);
    j.number("changed", changed);
    if (end->sends > 0) j.number("seqnum", end->seqnum);
    print_json(std::move(j));
  }
  return done;
}

int ptrans(context& c, const arguments& a) {
  const auto text = read_file(a.has("FILE") && !a["FILE"].empty() ? a["FILE"] : "-");
  if (!text) return c.fail(text.error());
  const auto changes = parse_transaction(*text);
  if (!changes) return c.misused("ptrans: " + changes.error());
  return commit(c, a, "ptrans", *changes);
}

int pstore(context& c, const arguments& a) {
  const auto key = parse_octets(a["KEY"]);
  if (!key || key->empty()) return c.misused(key ? "a key has at least one byte" : key.error());
  if (a.has("--file") == !a["VALUE"].empty()) return c.misused("pstore: give a value, or --file");
  const auto value = a.has("--file") ? read_file(a["--file"]) : parse_octets(a["VALUE"]);
  if (!value) return a.has("--file") ? c.fail(value.error()) : c.misused(value.error());
  if (value->empty()) return c.misused("an empty record does not exist: use pdelete");
  return commit(c, a, "pstore", {{*key, *value}});
}

int pdelete(context& c, const arguments& a) {
  const auto key = parse_octets(a["KEY"]);
  if (!key || key->empty()) return c.misused(key ? "a key has at least one byte" : key.error());
  return commit(c, a, "pdelete", {{*key, {}}});
}

/// Every node has all of the database: one record is read without a transaction.
int pfetch(context& c, const arguments& a) {
  const auto of = open_record(c, a, "pfetch");
  if (!of) return of.error();
  const auto r = of->node->read(of->db, of->key, c.long_patience());
  if (!r) return c.fail(of->what, r.error());
  if (!r->found) {
    print_error(of->what + ": no such record");
    return says_no;
  }
  if (c.options.json) {
    auto j = open_json("pfetch");
    j.text("key", show_octets(of->key));
    j.text("value", show_octets(r->data));
    j.number("rsn", number(r->header.rsn));
    j.number("dmaster", number(r->header.dmaster));
    print_json(std::move(j));
    return done;
  }
  const auto& path = a["FILE"];
  if (path.empty()) {
    print(show_octets(r->data) + "\n");
    return done;
  }
  if (auto written = write_file(path, r->data); !written) return c.fail(written.error());
  return done;
}

const positional db_argument{"DB", "name, or 0x and id, of a persistent or replicated database"};
const positional key_argument{"KEY", "text, or octets as 0x..."};

}  // namespace

std::vector<command> transaction_commands() {
  return {
      {.name = "ptrans",
       .group = "Transactions",
       .summary = "store key and value pairs in one transaction, on all nodes or none",
       .example = "printf '\"user1\" \"secret\"\\n\"user2\" \"\"\\n' | floe --base DIR ptrans "
                  "secrets.tdb\n"
                  "a pair per line, in quotes; \"0x...\" is octets; an empty value deletes",
       .positionals = {db_argument, {"FILE", "the pairs; without it standard input", false}},
       .run = ptrans},
      {.name = "pstore",
       .group = "Transactions",
       .summary = "store a record, in a transaction",
       .example = "floe --base DIR pstore secrets.tdb key1 'some value'",
       .positionals = {db_argument, key_argument, {"VALUE", "text, or octets as 0x...", false}},
       .options = {{"--file", "FILE", "the value is what is in this file; - is standard input"}},
       .run = pstore},
      {.name = "pfetch",
       .group = "Transactions",
       .summary = "the value of a record",
       .example = "floe --base DIR pfetch secrets.tdb key1",
       .positionals = {db_argument,
                       key_argument,
                       {"FILE", "gets the value as it is; - is standard output", false}},
       .run = pfetch},
      {.name = "pdelete",
       .group = "Transactions",
       .summary = "delete a record, in a transaction",
       .example = "floe --base DIR pdelete secrets.tdb key1",
       .positionals = {db_argument, key_argument},
       .run = pdelete}};
}

}  // namespace floe::cli
