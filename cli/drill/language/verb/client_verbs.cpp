/// Single clients with names: one smbd among many.
#include <fmt/format.h>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr duration patience = 60s;
/// A lock and a store, each with its patience, end before this.
constexpr duration longest_deed = 120s;

struct record_words {
  std::string client, db, key;
};

record_words read_record_words(line_parser& w, bool any_kind = false) {
  record_words r;
  r.client = w.client();
  (void)w.word("a verb");
  r.db = any_kind ? w.database() : w.volatile_database();
  r.key = w.word("a key");
  return r;
}

using request = std::function<void(drill_client&, drill_client::ended)>;

/// Runs it to its end, or only begins it when an `&` stands behind.
action do_it(const record_words& r, bool wait, std::string what, request ask,
             std::function<outcome(const operation&)> judge = nullptr) {
  return [=](drill_run& s) -> outcome {
    if (!s.has_client(r.client)) return failed_because(r.client + " has ended");
    auto& c = s.client(r.client);
    if (!wait) {
      ask(c, nullptr);
      return {};
    }
    std::optional<operation> got;
    ask(c, [&](const operation& o, std::size_t) { got = o; });
    s.cluster().run([&] { return got.has_value(); }, longest_deed);
    if (!got) return failed_because(fmt::format("{} was not answered", what));
    if (got->result != op_end::done) return failed_because(fmt::format("{}: {}", what, got->error));
    return judge ? judge(*got) : outcome{};
  };
}

outcome is_value(const operation& o, const std::string& wanted) {
  if (o.value == wanted) return {};
  return failed_because(fmt::format("{} is {}, not {}", record_text(o),
                                    o.value.empty() ? "absent" : "\"" + o.value + "\"",
                                    wanted.empty() ? "absent" : "\"" + wanted + "\""));
}

action read_client(line_parser& w) {
  const auto name = w.word("a name");
  w.expect("on");
  auto node = w.node();
  if (!w.error()) w.names.clients.push_back(name);
  return [name, node = std::move(node)](drill_run& s) -> outcome {
    const auto n = resolve(s, node);
    if (!n) return failed_because(n.error());
    return s.add_client(name, *n);
  };
}

action read_lock(line_parser& w) {
  const auto r = read_record_words(w);
  const bool background = w.take("&");
  return do_it(r, !background, fmt::format("the lock of {}/{}", r.db, r.key),
               [r](drill_client& c, drill_client::ended done) {
                 c.lock(r.db, r.key, patience, std::move(done));
               });
}

action read_store(line_parser& w) {
  const auto r = read_record_words(w);
  const auto value = w.word("a value");
  const bool background = w.take("&");
  return do_it(r, !background, fmt::format("storing {}/{}", r.db, r.key),
               [r, value](drill_client& c, drill_client::ended done) {
                 c.store(r.db, r.key, value, after_write::keep_lock, std::move(done));
               });
}

action read_unlock(line_parser& w) {
  const auto r = read_record_words(w);
  return do_it(
      r, true, fmt::format("unlocking {}/{}", r.db, r.key),
      [r](drill_client& c, drill_client::ended done) { c.unlock(r.db, r.key, std::move(done)); });
}

action read_read(line_parser& w) {
  const auto r = read_record_words(w, true);
  std::optional<std::string> wanted;
  if (w.take("is")) wanted = w.take("absent") ? std::string() : w.word("a value, or absent");
  return do_it(
      r, true, fmt::format("reading {}/{}", r.db, r.key),
      [r](drill_client& c, drill_client::ended done) { c.read(r.db, r.key, std::move(done)); },
      [wanted](const operation& o) { return wanted ? is_value(o, *wanted) : outcome{}; });
}

/// Lock, then the deed, which gives the lock back.
request locked(const record_words& r,
               std::function<void(drill_client&, drill_client::ended)> deed) {
  return [r, deed = std::move(deed)](drill_client& c, drill_client::ended done) {
    c.lock(r.db, r.key, patience,
           [&c, deed, done = std::move(done)](const operation& o, std::size_t i) {
             if (o.result == op_end::done) return deed(c, done);
             if (done) done(o, i);
           });
  };
}

action read_write(line_parser& w) {
  const auto r = read_record_words(w);
  const auto value = w.word("a value");
  const bool background = w.take("&");
  return do_it(r, !background, fmt::format("writing {}/{}", r.db, r.key),
               locked(r, [r, value](drill_client& c, drill_client::ended done) {
                 c.store(r.db, r.key, value, after_write::unlock, std::move(done));
               }));
}

action read_client_delete(line_parser& w) {
  const auto r = read_record_words(w);
  return do_it(r, true, fmt::format("deleting {}/{}", r.db, r.key),
               locked(r, [r](drill_client& c, drill_client::ended done) {
                 c.erase(r.db, r.key, after_write::unlock, std::move(done));
               }));
}

struct transaction_words {
  std::string client, db;
  std::map<std::string, std::string> writes;
  std::vector<std::string> reads;
};

/// Waits for its end, or only begins it when an `&` stands behind.
action do_transaction(const transaction_words& t, bool wait) {
  return [=](drill_run& s) -> outcome {
    if (!s.has_client(t.client)) return failed_because(t.client + " has ended");
    if (!wait) {
      s.client(t.client).transact(t.db, t.writes, t.reads, patience);
      return {};
    }
    std::optional<transacted> got;
    s.client(t.client).transact(t.db, t.writes, t.reads, patience,
                                [&](const transacted& end) { got = end; });
    s.cluster().run([&] { return got.has_value(); }, longest_deed);
    if (!got) return failed_because("the transaction has not ended");
    if (got->result != op_end::done) return failed_because(got->error);
    return {};
  };
}

action read_transact(line_parser& w) {
  w.needs(ability::transactions);
  transaction_words t{.client = w.client()};
  (void)w.word("a verb");
  t.db = w.transactional_database();
  const auto db = t.db;
  bool wait = true;
  while (!w.at_end()) {
    if (w.take("&")) {
      wait = false;
      break;
    }
    const auto word = w.word("KEY=VALUE");
    const auto sign = word.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == word.size()) {
      w.fail(fmt::format("expected KEY=VALUE, found `{}`", word));
      break;
    }
    if (!w.names.transacted.insert({db, word}).second)
      w.fail(fmt::format("{} is written by a line above: give it another value", word));
    t.writes[word.substr(0, sign)] = word.substr(sign + 1);
  }
  if (t.writes.empty()) w.miss("KEY=VALUE");
  return do_transaction(t, wait);
}

action read_look(line_parser& w) {
  w.needs(ability::transactions);
  transaction_words t{.client = w.client()};
  (void)w.word("a verb");
  t.db = w.transactional_database();
  while (!w.at_end()) t.reads.push_back(w.word("a key"));
  if (t.reads.empty()) w.miss("a key");
  return do_transaction(t, true);
}

action read_leave(line_parser& w) {
  const auto name = w.client();
  (void)w.word("a verb");
  return [name](drill_run& s) -> outcome {
    if (!s.has_client(name)) return failed_because(name + " has ended already");
    s.remove_client(name);
    return {};
  };
}

}  // namespace

std::vector<verb> client_verbs() {
  return {
      {.name = "client",
       .group = "Clients",
       .arguments = "NAME on NODE",
       .summary = "a client of a node; from then on lines can begin with its name",
       .example = "client smbd on 0",
       .read = read_client,
       .uses = {"client {+client} on {node}"}},
      {.name = "lock",
       .group = "Clients",
       .arguments = "DB KEY [&]",
       .summary = "lock a record and see its content; with & in the background",
       .example = "smbd lock brlock.tdb b9 &",
       .read = read_lock,
       .of_client = true,
       .uses = {"{client} lock {volatile} {key} &"}},
      {.name = "store",
       .group = "Clients",
       .arguments = "DB KEY VALUE [&]",
       .summary = "write a record that it has locked; the lock stays",
       .example = "smbd store locking.tdb l7 new",
       .read = read_store,
       .of_client = true,
       .uses = {"{client} store {volatile} {key} {value}"}},
      {.name = "unlock",
       .group = "Clients",
       .arguments = "DB KEY",
       .summary = "give a lock back",
       .example = "smbd unlock locking.tdb l7",
       .read = read_unlock,
       .of_client = true,
       .uses = {"{client} unlock {volatile} {key}"}},
      {.name = "read",
       .group = "Clients",
       .arguments = "DB KEY [is VALUE|is absent]",
       .summary = "read a record as its owner has it",
       .example = "smbd read locking.tdb l7 is new",
       .read = read_read,
       .of_client = true,
       .uses = {"{client} read {database} {key}"}},
      {.name = "write",
       .group = "Clients",
       .arguments = "DB KEY VALUE [&]",
       .summary = "lock, store, unlock",
       .example = "smbd write locking.tdb l7 new",
       .read = read_write,
       .of_client = true,
       .uses = {"{client} write {volatile} {key} {value} &",
                "{client} write {volatile} {key} {value}"}},
      {.name = "delete",
       .group = "Clients",
       .arguments = "DB KEY",
       .summary = "lock, delete, unlock",
       .example = "smbd delete locking.tdb l7",
       .read = read_client_delete,
       .of_client = true,
       .uses = {"{client} delete {volatile} {key}"}},
      {.name = "transact",
       .group = "Clients",
       .arguments = "DB KEY=VALUE ... [&]",
       .summary =
           "write several records of a persistent or replicated database at once; each value "
           "once in a drill",
       .example = "smbd transact secrets.tdb a=1 b=1",
       .read = read_transact,
       .of_client = true,
       .uses = {"{client} transact {transactional} {key}={value} &",
                "{client} transact {transactional} {key}={value}"}},
      {.name = "look",
       .group = "Clients",
       .arguments = "DB KEY ...",
       .summary = "read several of its records in one transaction",
       .example = "smbd look secrets.tdb a b",
       .read = read_look,
       .of_client = true,
       .uses = {"{client} look {transactional} {key}"}},
      {.name = "dies",
       .group = "Clients",
       .arguments = "",
       .summary = "its process ends, with all locks that it holds",
       .example = "smbd dies",
       .read = read_leave,
       .of_client = true,
       .fault = {.ends = fault_end::at_once},
       .uses = {"{-client} dies"}},
  };
}

}  // namespace floe::cli::drill
