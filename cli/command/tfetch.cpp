/// floe tfetch: what this node itself has of a record, with its header. CTDB's tool opens the database's file for that;
/// the files of a node are its own, so the node is asked, and a path names the database that the file belongs to.
#include <fmt/format.h>

#include <filesystem>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/named_record.hpp"
#include "cli/octet_file.hpp"
#include "cli/output.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli {
namespace {

/// "/dir/locking.tdb.0" is locking.tdb.
std::string database_of(const std::string& name_or_path) {
  if (!name_or_path.contains('/')) return name_or_path;
  const std::filesystem::path file = name_or_path;
  const auto end = file.extension().string();
  const bool numbered =
      end.size() > 1 && end.find_first_not_of("0123456789", 1) == std::string::npos;
  return (numbered ? file.stem() : file.filename()).string();
}

int run_tfetch(context& c, const arguments& a) {
  const auto of = open_record(c, a, "tfetch", database_of(a["DB"]));
  if (!of) return of.error();
  const auto r = of->node->read(of->db, of->key, c.patience(), read_from::this_node);
  if (!r) return c.fail(of->what, r.error());
  // the node says "none" of an empty record, too, and of that it has a header
  const bool here = r->found || r->header != record_header{};
  if (!here) {
    print_error(of->what + ": no such record here");
    return says_no;
  }
  if (const auto& path = a["FILE"]; !path.empty()) {
    const auto written = write_file(path, wire::encode(r->header) + r->data);
    return written ? done : c.fail(written.error());
  }
  if (c.options.json) {
    auto j = open_json("tfetch");
    j.text("key", show_octets(of->key));
    j.text("value", show_octets(r->data));
    j.number("rsn", number(r->header.rsn));
    j.number("dmaster", number(r->header.dmaster));
    j.number("flags", r->header.flags);
    print_json(std::move(j));
    return done;
  }
  print(fmt::format("rsn {}, dmaster {}, flags {:#010x}\n{}\n", number(r->header.rsn),
                    number(r->header.dmaster), r->header.flags, show_octets(r->data)));
  return done;
}

}  // namespace

command tfetch_command() {
  return {.name = "tfetch",
          .group = "Records",
          .summary = "what this node itself has of a record, with its header; exit 4 if nothing",
          .example = "floe --base DIR tfetch locking.tdb mykey copy.bin",
          .positionals = {{"DB", "name, 0x and id, or the path of its file"},
                          {"KEY", "text, or octets as 0x..."},
                          {"FILE", "header (24 octets) and data are written here", false}},
          .run = run_tfetch};
}

}  // namespace floe::cli
