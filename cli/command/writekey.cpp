/// floe writekey, deletekey: locks a record, writes or empties it, gives the lock back.
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/named_record.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

/// With the lock of the record: `change`, which ends with the lock given back.
template <class Change>
int with_lock(context& c, const arguments& a, const char* verb, Change change) {
  const auto of = open_record(c, a, verb);
  if (!of) return of.error();
  auto lock = of->node->lock(of->db, of->key, c.patience());
  if (!lock) return c.fail(of->what, lock.error());
  const result<void> r = change(*lock);
  if (!r) return c.fail(of->what, r.error());
  if (c.options.json) {
    auto j = open_json(verb);
    j.text("key", show_octets(of->key));
    print_json(std::move(j));
  }
  return done;
}

int write(context& c, const arguments& a) {
  const auto value = parse_octets(a["VALUE"]);
  if (!value) return c.misused(value.error());
  if (value->empty()) return c.misused("an empty record does not exist: use deletekey");
  return with_lock(c, a, "writekey", [&](held_lock& l) {
    return l.store(*value, c.patience(), after_write::unlock);
  });
}

int remove(context& c, const arguments& a) {
  return with_lock(c, a, "deletekey",
                   [&](held_lock& l) { return l.remove(c.patience(), after_write::unlock); });
}

const positional db_argument{"DB", "name, or 0x and id"};
const positional key_argument{"KEY", "text, or octets as 0x..."};

}  // namespace

command writekey_command() {
  return {.name = "writekey",
          .group = "Records",
          .summary = "write a record",
          .example = "floe --base DIR writekey locking.tdb mykey 'some value'",
          .positionals = {db_argument, key_argument, {"VALUE", "text, or octets as 0x..."}},
          .run = write};
}

command deletekey_command() {
  return {.name = "deletekey",
          .group = "Records",
          .summary = "delete a record",
          .example = "floe --base DIR deletekey locking.tdb mykey",
          .positionals = {db_argument, key_argument},
          .run = remove};
}

}  // namespace floe::cli
