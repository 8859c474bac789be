/// floe backupdb, restoredb, dumpdbbackup: databases and files in the format of CTDB's tool.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "actors/client/replace.hpp"
#include "cli/backup/backup_file.hpp"
#include "cli/backup/database_content.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/hold_transactions.hpp"
#include "cli/keys.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/waiting_line.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

int backup(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  const auto what = fmt::format("backupdb {}", a["DB"]);
  const auto db = find_database_info(**node, pnn::current, a["DB"], c.patience());
  if (!db) return c.fail(what, db.error());
  auto file = backup_writer::create(a["FILE"], db->name, kind_of(db->flags), std::time(nullptr));
  if (!file) return c.fail(file.error());
  progress_line progress("backup", 0, !c.options.json);
  const auto all = read_content(c, **node, *db, progress);
  if (!all) return c.fail(what, all.error());
  for (const auto& [key, r] : *all)
    if (auto added = file->add(r); !added) return c.fail(added.error());
  if (auto written = file->finish(); !written) return c.fail(written.error());
  const auto records =
      std::ranges::count_if(*all, [](const auto& r) { return !is_sequence_number(r.first); });
  if (c.options.json) {
    auto j = open_json("backupdb");
    j.text("db", db->name);
    j.text("file", a["FILE"]);
    j.integer("records", records);
    print_json(std::move(j));
  } else {
    print_line(fmt::format("{} of {} {} in {}",
                           count_text(static_cast<std::uint64_t>(records), "record"), db->name,
                           records == 1 ? "is" : "are", a["FILE"]));
  }
  return done;
}

/// Reads everything once, so that a bad file is found before anything is changed.
std::expected<backup_header, std::string> check(const std::string& path) {
  auto file = backup_reader::open(path);
  if (!file) return std::unexpected(file.error());
  for (;;) {
    const auto buffer = file->next();
    if (!buffer) return std::unexpected(buffer.error());
    if (!*buffer) return file->header();
  }
}

/// The records of the file in packets of a good size. Those of a volatile database get this node as
/// their owner: the one in the file may have left the cluster.
/// `numbered` becomes true with the record that has the sequence number, which nobody has put in.
record_feed feed_from(std::shared_ptr<backup_reader> file, db_id db, db_kind kind, pnn owner,
                      std::shared_ptr<bool> numbered) {
  constexpr std::size_t packet_size = 256 * 1024;
  auto rest = std::make_shared<std::optional<bytes>>();
  auto position = std::make_shared<rec_buffer::iterator>();
  return [=]() -> std::expected<std::optional<bytes>, std::string> {
    rec_buffer_builder out(db);
    for (;;) {
      if (!*rest) {
        auto next = file->next();
        if (!next) return std::unexpected(next.error());
        if (!*next) break;
        *rest = std::move(*next);
        *position = wire::decode<rec_buffer>(**rest)->begin();
      }
      const auto end = std::default_sentinel;
      for (; *position != end; ++*position) {
        auto r = *(**position).as_record();
        *numbered = *numbered || is_sequence_number(r.key);
        r.header.flags &= ~record_flag::ro_all;
        if (kind == db_kind::volatile_db) {
          if (r.data.empty()) continue;
          r.header.dmaster = owner;
          r.header.flags |= record_flag::migrated_with_data;
        }
        if (!out.empty() && out.size_with(r.key.size(), r.data.size()) > packet_size)
          return out.take();
        out.add(r.key, r.header, r.data);
      }
      rest->reset();
    }
    return out.empty() ? std::optional<bytes>() : std::optional(out.take());
  };
}

int restore(context& c, const arguments& a) {
  const auto& path = a["FILE"];
  const auto header = check(path);
  if (!header) return c.fail(header.error());
  const auto name = a["DB"].empty() ? header->name : a["DB"];
  const auto what = fmt::format("restoredb {}", name);
  auto node = c.node();
  if (!node) return node.error();
  const bool is_new = !find_database_info(**node, pnn::current, name, c.patience());
  const auto id = (*node)->attach(name, header->kind(), c.long_patience());
  if (!id) return c.fail(what, id.error());
  const auto db = find_database_info(**node, pnn::current, name, c.patience());
  if (!db) return c.fail(what, db.error());
  if (kind_of(db->flags) != header->kind())
    return c.fail(
        fmt::format("{}: it is {}, and the backup is of another kind", what, kind_text(db->flags)));
  auto file = backup_reader::open(path);
  if (!file) return c.fail(file.error());
  const auto held = hold_transactions(c, **node, *id, header->kind(), what);
  if (!held) return held.error();
  const auto numbered = std::make_shared<bool>(false);
  progress_line progress("restore", header->records, !c.options.json);
  const waiting_line shown(**node, what);
  const auto end = (*node)->wait<replaced_content>([&](auto finished) {
    replace_content((*node)->async(),
                    {.db = *id,
                     .name = name,
                     .kind = header->kind(),
                     .feed = feed_from(std::make_shared<backup_reader>(std::move(*file)), *id,
                                       header->kind(), (*node)->self(), numbered),
                     .step_patience = c.long_patience(),
                     .progress = [&](std::uint64_t n) { progress.show(n); }},
                    finished);
  });
  if (!end) return c.fail(what, end.error());
  const auto records = end->records - (*numbered ? 1 : 0);
  if (c.options.json) {
    auto j = open_json("restoredb");
    j.text("db", name);
    j.number("records", records);
    j.number("nodes", end->nodes);
    print_json(std::move(j));
  } else {
    print_line(fmt::format("{}{} the {} of {} on {}", name,
                           is_new ? ", which was not there before, has" : " has",
                           count_text(records, "record"), path, count_text(end->nodes, "node")));
  }
  return done;
}

int dump(context& c, const arguments& a) {
  if (const auto good = check(a["FILE"]); !good) return c.fail(good.error());
  auto file = backup_reader::open(a["FILE"]);
  if (!file) return c.fail(file.error());
  const auto& h = file->header();
  auto j = open_json("dumpdbbackup");
  j.text("db", h.name);
  j.text("kind", kind_text(static_cast<std::uint8_t>(h.flags)));
  j.number("time", static_cast<std::uint64_t>(h.time));
  j.begin_list("records");
  table t({{"KEY"}, {"RSN", true}, {"NODE", true}, {"BYTES", true}, {"VALUE"}});
  bool numbered = false;
  for (;;) {
    const auto buffer = file->next();
    if (!buffer) return c.fail(buffer.error());
    if (!*buffer) break;
    const auto records = wire::decode<rec_buffer>(**buffer);
    for (const rec_data& one : *records) {
      const auto r = *one.as_record();
      if (c.options.json) {
        j.begin_object();
        j.text("key", show_octets(r.key));
        j.text("value", show_octets(r.data));
        j.number("rsn", number(r.header.rsn));
        j.number("dmaster", number(r.header.dmaster));
        j.end();
      } else {
        numbered |= is_sequence_number(r.key);
        t.row({{show_key(r.key), is_sequence_number(r.key) ? style::dim : style::bold},
               std::to_string(number(r.header.rsn)),
               std::to_string(number(r.header.dmaster)),
               std::to_string(r.data.size()),
               show_value(r.key, r.data)});
      }
    }
  }
  j.end();
  if (c.options.json) {
    print_json(std::move(j));
    return done;
  }
  print_text(fmt::format("{}, {}, backup of {}\n\n", wire::visible(h.name),
                         kind_text(static_cast<std::uint8_t>(h.flags)),
                         time_text(h.time * 1'000'000)));
  print(t.text());
  print(count_text(h.records - (numbered ? 1 : 0), "record") + "\n");
  return done;
}

}  // namespace

std::vector<command> backup_commands() {
  return {
      {.name = "backupdb",
       .group = "Databases",
       .summary = "write all records of a database to a file, as `ctdb backupdb` does",
       .example = "floe --base DIR backupdb secrets.tdb secrets.backup",
       .positionals = {{"DB", "name, or 0x and id"},
                       {"FILE", "is replaced when all of it is written"}},
       .run = backup},
      {.name = "restoredb",
       .group = "Databases",
       .summary = "make the content of a database that of a backup, on all nodes",
       .example = "floe --base DIR restoredb secrets.backup\nfloe --base DIR restoredb "
                  "secrets.backup copy.tdb",
       .positionals = {{"FILE", "of backupdb, floe's or ctdb's"},
                       {"DB", "the database; without it the one the backup was made of", false}},
       .run = restore},
      {.name = "dumpdbbackup",
       .group = "Databases",
       .summary = "print what is in a backup; needs no node",
       .example = "floe dumpdbbackup secrets.backup",
       .positionals = {{"FILE", "of backupdb, floe's or ctdb's"}},
       .run = dump}};
}

}  // namespace floe::cli
