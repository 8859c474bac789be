/// floe client: a client that does what standard input says, one verb per line, and stays connected
/// in between: what it has locked stays locked. For scripts and drills.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <deque>
#include <map>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/databases.hpp"
#include "cli/keys.hpp"
#include "cli/line_input.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"
#include "cli/script_words.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

constexpr const char* verbs =
    "attach DB [KIND], lock DB KEY [as NAME], store NAME VALUE, delete NAME, unlock NAME, read DB "
    "KEY";

class script {
 public:
  script(const context& c, blocking_client& node) : context_(c), node_(node) {}

  int run() {
    line_input input(
        node_.loop(), STDIN_FILENO,
        [this](std::string line) {
          waiting_.push_back(std::move(line));
          next();
        },
        [this] { input_ended_ = true; });
    while (!over()) node_.loop().run_until([this] { return over(); }, std::chrono::hours(1));
    if (!node_.async().connected()) {
      print_error("the connection to the node is lost, and every lock with it");
      return failed;
    }
    return failures_ == 0 ? done : failed;
  }

 private:
  using words = std::vector<std::string>;
  struct held {
    std::uint64_t lock_id;
    std::string db;
    bytes key;
  };
  /// A line that is being carried out.
  struct job {
    std::string line;
    time_point begin;
    bool in_order;  ///< the next line waits for it
  };
  using job_ptr = std::shared_ptr<job>;

  bool over() const {
    return !node_.async().connected() || (input_ended_ && waiting_.empty() && running_ == 0);
  }

  void next() {
    while (!busy_ && !waiting_.empty()) {
      auto line = std::move(waiting_.front());
      waiting_.pop_front();
      carry_out(std::move(line));
    }
  }

  void carry_out(std::string line) {
    auto w = split_words(line);
    if (w && w->empty()) return;
    bool in_order = true;
    if (w && w->front() == "&") {
      in_order = false;
      w->erase(w->begin());
    }
    auto j = std::make_shared<job>(job{std::move(line), node_.loop().now(), in_order});
    ++running_;
    if (in_order) busy_ = true;
    if (!w) return refuse(j, w.error());
    dispatch(j, *w);
  }

  void dispatch(const job_ptr& j, const words& w) {
    const auto& verb = w.empty() ? std::string() : w[0];
    if (verb == "attach" && (w.size() == 2 || w.size() == 3)) return attach(j, w);
    if (verb == "lock" && (w.size() == 3 || (w.size() == 5 && w[3] == "as"))) return lock(j, w);
    if (verb == "store" && w.size() == 3) return store(j, w[1], w[2]);
    if (verb == "delete" && w.size() == 2) return remove(j, w[1]);
    if (verb == "unlock" && w.size() == 2) return unlock(j, w[1]);
    if (verb == "read" && w.size() == 3) return read(j, w[1], w[2]);
    refuse(j, std::string("one of: ") + verbs);
  }

  void attach(const job_ptr& j, const words& w) {
    const auto kind = w.size() == 3 && w[2] == "persistent"   ? db_kind::persistent
                      : w.size() == 3 && w[2] == "replicated" ? db_kind::replicated
                                                              : db_kind::volatile_db;
    floe::attach(
        node_.async(), w[1], kind, context_.long_patience(), [this, j](const result<db_id>& id) {
          if (!id) return refuse(j, id.error().describe());
          finish(j, "attached", [&](wire::json_writer& out) { out.text("id", id_text(*id)); });
        });
  }

  /// The id of a database and a key, then `go`.
  template <class Go>
  void with_record(const job_ptr& j, const std::string& db, const std::string& key_text, Go go) {
    auto key = parse_octets(key_text);
    if (!key || key->empty()) return refuse(j, key ? "a key has at least one byte" : key.error());
    find_named_database(
        node_.async(), db, context_.patience(),
        [this, j, key = std::move(*key), go = std::move(go)](const result<db_id>& id) {
          if (!id) return refuse(j, id.error().describe());
          go(*id, key);
        });
  }

  void lock(const job_ptr& j, const words& w) {
    const auto name = w.size() == 5 ? w[4] : w[2];
    if (held_.contains(name)) return refuse(j, name + " is held already");
    with_record(j, w[1], w[2], [this, j, name, db = w[1]](db_id id, const bytes& key) {
      lock_record(node_.async(), id, key, context_.long_patience(),
                  [this, j, name, db, key](const result<locked_record>& r) {
                    if (!r) return refuse(j, r.error().describe());
                    held_[name] = {r->lock_id, db, key};
                    finish(j, "granted", [&](wire::json_writer& out) {
                      out.text("name", name);
                      put_record(out, r->header, r->data);
                    });
                  });
    });
  }

  void read(const job_ptr& j, const std::string& db, const std::string& key_text) {
    with_record(j, db, key_text, [this, j](db_id id, const bytes& key) {
      read_record(node_.async(), id, key, read_from::owner, context_.long_patience(),
                  [this, j](const result<read_record_answer>& r) {
                    if (!r) return refuse(j, r.error().describe());
                    finish(j, r->found ? show_octets(r->data) : std::string("no such record"),
                           [&](wire::json_writer& out) {
                             out.boolean("found", r->found);
                             if (r->found) put_record(out, r->header, r->data);
                           });
                  });
    });
  }

  const held* find_held(const job_ptr& j, const std::string& name) {
    const auto i = held_.find(name);
    if (i != held_.end()) return &i->second;
    refuse(j, name + " is not held");
    return nullptr;
  }

  void store(const job_ptr& j, const std::string& name, const std::string& text) {
    const auto value = parse_octets(text);
    if (!value || value->empty())
      return refuse(j, value ? "an empty value: use delete" : value.error());
    if (const auto* h = find_held(j, name))
      store_record(node_.async(), h->lock_id, *value, after_write::keep_lock, context_.patience(),
                   plain(j, "stored"));
  }
  void remove(const job_ptr& j, const std::string& name) {
    if (const auto* h = find_held(j, name))
      delete_record(node_.async(), h->lock_id, after_write::keep_lock, context_.patience(),
                    plain(j, "deleted"));
  }
  void unlock(const job_ptr& j, const std::string& name) {
    const auto* h = find_held(j, name);
    if (!h) return;
    const auto id = h->lock_id;
    held_.erase(name);
    unlock_record(node_.async(), id, context_.patience(), plain(j, "unlocked"));
  }

  when_done<void> plain(const job_ptr& j, const char* word) {
    return [this, j, word](const result<void>& r) {
      if (!r) return refuse(j, r.error().describe());
      finish(j, word, [](wire::json_writer&) {});
    };
  }

  static void put_record(wire::json_writer& out, const record_header& h, const bytes& data) {
    out.text("value", show_octets(data));
    out.number("rsn", number(h.rsn));
  }

  template <class Put>
  void finish(const job_ptr& j, const std::string& says, Put put) {
    const double ms =
        std::chrono::duration<double, std::milli>(node_.loop().now() - j->begin).count();
    if (context_.options.json) {
      auto out = open_json("client");
      out.integer("t_us", node_.loop().wall_us());
      out.text("line", j->line);
      out.boolean("ok", true);
      out.text("result", says);
      out.real("ms", ms);
      put(out);
      print_json(std::move(out));
    } else {
      print(fmt::format("{}  {}: {} ({})\n", clock_text(node_.loop().wall_us()), j->line, says,
                        age_text(ms)));
      std::fflush(stdout);
    }
    end(j);
  }

  void refuse(const job_ptr& j, const std::string& why) {
    ++failures_;
    if (context_.options.json) {
      auto out = open_json("client");
      out.integer("t_us", node_.loop().wall_us());
      out.text("line", j->line);
      out.boolean("ok", false);
      out.text("error", why);
      print_json(std::move(out));
    } else {
      print(fmt::format("{}  {}: {}\n", clock_text(node_.loop().wall_us()), j->line,
                        paint(style::bad, wire::visible(why))));
      std::fflush(stdout);
    }
    end(j);
  }

  void end(const job_ptr& j) {
    --running_;
    if (j->in_order) busy_ = false;
    // Not from within: a long script would nest one call per line. And by a timer, because the loop
    // looks whether we are over only after it has waited for one.
    node_.loop().after(duration{0}, [this] { next(); });
  }

  const context& context_;
  blocking_client& node_;
  std::deque<std::string> waiting_;
  std::map<std::string, held> held_;
  std::size_t running_ = 0;
  std::size_t failures_ = 0;
  bool busy_ = false;
  bool input_ended_ = false;
};

int run_client(context& c, const arguments& a) {
  // before the connection: the node looks up our name when it accepts
  if (a.has("--name")) ::prctl(PR_SET_NAME, a["--name"].c_str());
  auto node = c.node();
  if (!node) return node.error();
  return script(c, **node).run();
}

}  // namespace

command client_command() {
  return {.name = "client",
          .group = "Records",
          .summary =
              "a client that does what standard input says, one verb per line; '& ' in front: do "
              "not wait for it",
          .example =
              "printf 'lock locking.tdb k as L\\nstore L v\\nunlock L\\n' | floe --base DIR client "
              "--name smbd\n"
              "Verbs: attach DB [KIND], lock DB KEY [as NAME], store NAME VALUE, delete NAME, "
              "unlock NAME, read DB KEY",
          .options = {{"--name", "NAME", "what `floe locks` calls this process"}},
          .run = run_client};
}

}  // namespace floe::cli
