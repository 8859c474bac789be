/// floe import, floe export: persistent databases of a ctdbd (TDB files NAME.PNN) into a cluster of floe, and back.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "actors/client/replace.hpp"
#include "actors/tdb_bridge/node_place.hpp"
#include "cli/backup/database_content.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/databases.hpp"
#include "cli/hold_transactions.hpp"
#include "cli/no_such_database.hpp"
#include "cli/output.hpp"
#include "cli/tdb/tdb_content.hpp"
#include "cli/waiting_line.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

struct imported_file {
  std::string path, name;
  std::vector<record> records;
  std::uint64_t number = 0;  ///< its sequence number
};

/// "secrets.tdb" of ".../secrets.tdb.0"; nothing if that is no name of a database's file.
std::optional<std::string> database_name(const fs::path& file) {
  const auto pnn = file.extension().string();
  const bool digits = pnn.size() > 1 && std::all_of(pnn.begin() + 1, pnn.end(),
                                                    [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || file.stem().empty()) return std::nullopt;
  return file.stem().string();
}

/// The files that are meant: what is named, and in a folder all databases of a ctdbd.
std::expected<std::vector<imported_file>, std::string> find_files(
    const std::vector<std::string>& named) {
  std::vector<imported_file> all;
  for (const auto& one : named) {
    std::error_code problem;
    const auto what = fs::status(one, problem);
    if (!fs::exists(what))
      return std::unexpected(one + ": " +
                             (problem ? problem.message() : "no such file or directory"));
    if (!fs::is_directory(what)) {
      const auto name = database_name(one);
      if (!name)
        return std::unexpected(one +
                               ": the file of a database is called NAME.PNN, as ctdbd calls it");
      all.push_back({.path = one, .name = *name, .records = {}});
      continue;
    }
    const auto before = all.size();
    for (const auto& entry : fs::directory_iterator(one, problem))
      if (const auto name = database_name(entry.path()); name && is_tdb_file(entry.path().string()))
        all.push_back({.path = entry.path().string(), .name = *name, .records = {}});
    if (problem) return std::unexpected(fmt::format("{}: {}", one, problem.message()));
    if (all.size() == before) return std::unexpected(one + ": no database of a ctdbd is in it");
  }
  std::ranges::sort(all, {}, &imported_file::name);
  const auto twice = std::ranges::adjacent_find(all, {}, &imported_file::name);
  if (twice != all.end())
    return std::unexpected(fmt::format("{} and {} are copies of one database: name the one to take",
                                       twice->path, std::next(twice)->path));
  return all;
}

/// What somebody has put in: all but the record with the number.
std::uint64_t count_of_users(const std::vector<record>& records) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(records, [](const record& r) { return r.key != sequence_number_key; }));
}

std::uint64_t number_in(const std::vector<record>& records) {
  const auto r = std::ranges::find(records, sequence_number_key,
                                   [](const record& one) { return byte_view(one.key); });
  std::uint64_t n = 0;
  if (r != records.end() && r->data.size() == sizeof n) std::memcpy(&n, r->data.data(), sizeof n);
  return n;
}

/// In packets of a good size.
record_feed feed_from(std::shared_ptr<const std::vector<record>> records, db_id db) {
  constexpr std::size_t packet_size = 256 * 1024;
  auto next = std::make_shared<std::size_t>(0);
  return [=]() -> std::expected<std::optional<bytes>, std::string> {
    rec_buffer_builder out(db);
    for (; *next < records->size(); ++*next) {
      const auto& r = (*records)[*next];
      if (!out.empty() && out.size_with(r.key.size(), r.data.size()) > packet_size) break;
      out.add(r.key, r.header, r.data);
    }
    return out.empty() ? std::optional<bytes>() : std::optional(out.take());
  };
}

result<replaced_content> put_in(context& c, blocking_client& node, imported_file& file, db_id id) {
  auto records = std::make_shared<const std::vector<record>>(std::move(file.records));
  return node.wait<replaced_content>([&](auto finished) {
    replace_content(node.async(),
                    {.db = id,
                     .name = file.name,
                     .kind = db_kind::persistent,
                     .feed = feed_from(records, id),
                     .step_patience = c.long_patience()},
                    finished);
  });
}

int import_files(context& c, const arguments& a) {
  auto files = find_files(a.all("FILE"));
  if (!files) return c.fail(files.error());
  // all are read and checked before anything is changed
  for (auto& f : *files) {
    auto records = read_tdb(f.path);
    if (!records) return c.fail(records.error());
    f.records = std::move(*records);
    f.number = number_in(f.records);
  }
  auto node = c.node();
  if (!node) return node.error();
  auto j = open_json("import");
  j.begin_list("databases");
  for (auto& f : *files) {
    const auto what = fmt::format("import {}", f.name);
    const auto id = (*node)->attach(f.name, db_kind::persistent, c.long_patience());
    if (!id) return c.fail(what, id.error());
    const auto present = (*node)->control<control::get_db_seqnum>(
        pnn::current, db_seqnum_request{*id}, c.patience());
    if (!present) return c.fail(what, present.error());
    if (present->value > 0 && !a.has("--replace"))
      return c.fail(
          fmt::format("{}: the cluster has this database already, with number {} (the file's is "
                      "{}); --replace puts "
                      "the file in its place",
                      what, present->value, f.number));
    const waiting_line shown(**node, what);
    const auto held = hold_transactions(c, **node, *id, db_kind::persistent, what);
    if (!held) return held.error();
    const auto of_users = count_of_users(f.records);
    const auto end = put_in(c, **node, f, *id);
    if (!end) return c.fail(what, end.error());
    j.begin_object();
    j.text("db", f.name);
    j.text("file", f.path);
    j.number("records", of_users);
    j.number("seqnum", f.number);
    j.number("nodes", end->nodes);
    j.end();
    if (!c.options.json)
      print_line(fmt::format("{}: {} with number {} on {}", f.name, count_text(of_users, "record"),
                             f.number, count_text(end->nodes, "node")));
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return done;
}

int export_files(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  const auto self = number((*node)->self());
  std::error_code problem;
  if (!fs::is_directory(a["DIR"], problem)) return c.fail(a["DIR"] + ": no such directory");
  if (fs::exists(fs::path(a["DIR"]) / node_place_file, problem))
    return c.fail(a["DIR"] + " is a node's own folder: take another one");
  auto all = list_databases(**node, pnn::current, c.patience());
  if (!all) return c.fail("export", all.error());
  std::erase_if(*all,
                [](const database_info& d) { return kind_of(d.flags) != db_kind::persistent; });
  std::vector<std::string> names;
  for (const auto& d : *all) names.push_back(d.name);
  const auto named = a.all("DB");
  for (const auto& n : named)
    if (std::ranges::find(names, n) == names.end())
      return c.fail(fmt::format("export {}: of those that are persistent, {}", n,
                                no_such_database(n, names)));
  std::erase_if(*all, [&](const database_info& d) {
    return !named.empty() && std::ranges::find(named, d.name) == named.end();
  });
  auto j = open_json("export");
  j.begin_list("databases");
  for (const auto& d : *all) {
    progress_line progress("export", 0, !c.options.json);
    const auto content = read_content(c, **node, d, progress);
    if (!content) return c.fail(fmt::format("export {}", d.name), content.error());
    std::vector<record> records;
    for (const auto& [key, r] : *content) records.push_back(r);
    const auto path = (fs::path(a["DIR"]) / fmt::format("{}.{}", d.name, self)).string();
    if (const auto written = write_tdb(path, records); !written) return c.fail(written.error());
    j.begin_object();
    j.text("db", d.name);
    j.text("file", path);
    j.number("records", count_of_users(records));
    j.number("seqnum", number_in(records));
    j.end();
    if (!c.options.json)
      print_line(fmt::format("{}: {} with number {} {} in {}", d.name,
                             count_text(count_of_users(records), "record"), number_in(records),
                             count_of_users(records) == 1 ? "is" : "are", path));
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return done;
}

}  // namespace

std::vector<command> import_commands() {
  return {
      {.name = "import",
       .group = "Samba",
       .summary = "take persistent databases of a stopped ctdbd into the cluster, on all nodes",
       .example = "floe --base DIR import /var/lib/ctdb/persistent\nfloe --base DIR import "
                  "saved/secrets.tdb.0",
       .positionals = {{"FILE", "NAME.PNN, or a folder with such files", true, true}},
       .options = {{"--replace", nullptr,
                    "also where the cluster has a database of this name with content"}},
       .run = import_files},
      {.name = "export",
       .group = "Samba",
       .summary = "write persistent databases as files that a ctdbd opens",
       .example = "floe --base DIR export /var/lib/ctdb/persistent",
       .positionals =
           {{"DIR",
             "an existing folder; each database becomes NAME.PNN there, with this node's number"},
            {"DB", "only these; without, all persistent ones", false, true}},
       .run = export_files}};
}

}  // namespace floe::cli
