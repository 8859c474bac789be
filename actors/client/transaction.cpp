#include "actors/client/transaction.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/commit.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr duration release_patience = std::chrono::seconds(10);
constexpr duration retry_pause = std::chrono::milliseconds(20);
/// A commit that recoveries keep throwing away has a reason that will not pass: a full disk, a copy
/// that differs.
constexpr unsigned most_cuts = 5;

client_error refusal(std::string why) {
  return {client_errc::refused, 0, std::move(why), pnn::current};
}

/// A refusal that a recovery in progress explains: it is asked again.
bool may_pass(const client_error& e) { return e.code == client_errc::refused; }

}  // namespace

// --- begin and end
// -------------------------------------------------------------------------------------------------

void transaction::start(client& c, db_id db, mode m, duration patience, when_done<ptr> done) {
  ptr t(new transaction(c, db, m));
  c.control<control::get_dbmap>(
      pnn::current, {}, patience,
      [&c, t, patience, done = std::move(done)](const result<client_answer<dbid_map>>& map) {
        if (!map) return done(std::unexpected(map.error()));
        const auto& all = map->value.dbs;
        const auto found = std::ranges::find(all, t->db_, &dbid_and_flags::db_id);
        if (found == all.end())
          return done(std::unexpected(refusal("no such database is attached")));
        if (!(found->flags & (db_flag::persistent | db_flag::replicated)))
          return done(std::unexpected(
              refusal("it is volatile, and only persistent and replicated databases have "
                      "transactions")));
        const auto type = t->mode_ == mode::read_write ? g_lock_type::write : g_lock_type::read;
        take_g_lock(c, transaction_lock_key(t->db_), type, patience,
                    [t, patience, done](const result<held_g_lock>& held) {
                      if (!held) return done(std::unexpected(held.error()));
                      t->lock_ = *held;
                      t->sequence_number(patience,
                                         [t, patience, done](const result<record_and_number>& now) {
                                           if (!now) return done(std::unexpected(now.error()));
                                           t->began_at_ = now->number;
                                           t->check_lock(patience, done);
                                         });
                    });
      });
}

/// The number may have been read after a recovery that did not count this node, and with it the lock: then another
/// transaction may be under way.
void transaction::check_lock(duration patience, const when_done<ptr>& done) {
  still_held(*client_, *lock_, patience, [t = shared_from_this(), done](const result<bool>& held) {
    if (!held) return done(std::unexpected(held.error()));
    if (!*held)
      return done(
          std::unexpected(refusal("the lock was lost in a recovery before the transaction began")));
    done(t);
  });
}

transaction::~transaction() {
  if (lock_ && !alive_.expired() && client_->connected())
    release_g_lock(*client_, *lock_, release_patience, [](const result<void>&) {});
}

void transaction::release(duration patience, std::function<void()> then) {
  const auto held = std::exchange(lock_, std::nullopt);
  changes_.clear();
  if (!held) return then();
  // what cannot be given back goes with the connection
  release_g_lock(*client_, *held, patience,
                 [then = std::move(then)](const result<void>&) { then(); });
}

void transaction::cancel(duration patience, when_done<void> done) {
  release(patience, [done = std::move(done)] { done({}); });
}

// --- changes
// -------------------------------------------------------------------------------------------------------

void transaction::present(byte_view key, duration patience, when_done<read_record_answer> done) {
  read_record(*client_, db_, key, read_from::owner, patience, std::move(done));
}

void transaction::sequence_number(duration patience, when_done<record_and_number> done) {
  present(sequence_number_key, patience,
          [done = std::move(done)](const result<read_record_answer>& r) {
            if (!r) return done(std::unexpected(r.error()));
            record_and_number now{.header = r->header};
            if (r->data.size() == sizeof now.number)
              std::memcpy(&now.number, r->data.data(), sizeof now.number);
            done(now);
          });
}

void transaction::fetch(byte_view key, duration patience, when_done<std::optional<bytes>> done) {
  if (auto mine = changes_.find(bytes(key)); mine != changes_.end()) {
    client_->later(duration{0}, [done = std::move(done), data = mine->second.data] {
      done(data.empty() ? std::nullopt : std::optional(data));
    });
    return;
  }
  present(key, patience, [done = std::move(done)](const result<read_record_answer>& r) {
    if (!r) return done(std::unexpected(r.error()));
    done(r->found && !r->data.empty() ? std::optional(r->data) : std::nullopt);
  });
}

void transaction::store(byte_view key, byte_view data, duration patience, when_done<void> done) {
  const auto fail = [&](const char* why) {
    client_->later(duration{0},
                   [done = std::move(done), why] { done(std::unexpected(refusal(why))); });
  };
  if (mode_ == mode::read_only) return fail("this transaction only reads");
  if (!lock_) return fail("this transaction has ended");
  if (key.empty()) return fail("a key has at least one byte");
  if (key == sequence_number_key)
    return fail("the database's sequence number is written by every commit");
  if (auto mine = changes_.find(bytes(key)); mine != changes_.end()) {
    mine->second.data = bytes(data);
    return client_->later(duration{0}, [done = std::move(done)] { done({}); });
  }
  present(key, patience,
          [t = shared_from_this(), key = bytes(key), data = bytes(data),
           done = std::move(done)](const result<read_record_answer>& r) {
            if (!r) return done(std::unexpected(r.error()));
            const byte_view here = r->found ? byte_view(r->data) : byte_view{};
            if (here == byte_view(data)) return done({});
            record_header h;
            h.rsn = rsn{number(r->header.rsn) + 1};
            h.dmaster = t->client_->self();
            t->changes_[key] = {h, data};
            done({});
          });
}

// --- commit
// --------------------------------------------------------------------------------------------------------

struct transaction::committing : std::enable_shared_from_this<committing> {
  committing(ptr of, time_point end, when_done<commit_result> tell)
      : t(std::move(of)), until(end), done(std::move(tell)) {}

  ptr t;
  time_point until;
  when_done<commit_result> done;
  commit_result so_far;
  std::uint64_t before = 0;
  unsigned cuts = 0;
  bytes records;
  decltype(t->changes_) expected;

  client& c() { return *t->client_; }
  duration left() {
    return std::max(duration{std::chrono::milliseconds(1)}, duration{until - c().loop().now()});
  }

  void finish(result<commit_result> r) {
    const auto patience = std::clamp<duration>(left(), std::chrono::seconds(1), release_patience);
    t->release(patience, [self = shared_from_this(), r = std::move(r)] { self->done(r); });
  }
  void again(std::function<void()> what, client_error why) {
    if (c().loop().now() + retry_pause >= until) {
      why.code = client_errc::timed_out;
      if (so_far.sends > 0) why.text = "not known whether it is stored: " + why.text;
      return finish(std::unexpected(std::move(why)));
    }
    c().later(retry_pause, std::move(what));
  }

  /// The sequence number's record as it is now; frozen databases let wait.
  void begin() {
    auto self = shared_from_this();
    t->sequence_number(left(), [self](const result<record_and_number>& r) {
      if (!r) {
        if (may_pass(r.error())) return self->again([self] { self->begin(); }, r.error());
        return self->finish(std::unexpected(r.error()));
      }
      self->before = r->number;
      if (self->before != self->t->began_at_)
        return self->finish(std::unexpected(refusal(
            "nothing is stored: the database has changed under this transaction, in a recovery")));
      if (self->t->changes_.empty()) return self->finish(commit_result{.seqnum = self->before});
      self->expected = self->t->changes_;
      const auto next = self->before + 1;
      record_header h;
      h.rsn = rsn{number(r->header.rsn) + 1};
      h.dmaster = self->c().self();
      rec_buffer_builder b(self->t->db_);
      for (const auto& [key, change] : self->expected) b.add(key, change.header, change.data);
      b.add(sequence_number_key, h, wire::encode(next));
      self->records = b.take();
      if (self->records.size() > most_of_a_request)
        return self->finish(std::unexpected(
            refusal("nothing is stored: the changes are larger than what a node takes at once")));
      self->send();
    });
  }

  void send() {
    auto self = shared_from_this();
    ++so_far.sends;
    c().send_control(pnn::current, control::trans3_commit, bytes(records), left(),
                     [self](const result<client_reply>& r) {
                       if (r && r->status == 0) {
                         self->so_far.seqnum = self->before + 1;
                         return self->finish(self->so_far);
                       }
                       if (!r && !may_pass(r.error())) {
                         auto why = r.error();
                         if (why.code == client_errc::timed_out)
                           why.text = "not known whether it is stored";
                         return self->finish(std::unexpected(std::move(why)));
                       }
                       if (r) ++self->cuts;
                       self->find_out(r ? refusal("recoveries came in between") : r.error());
                     });
  }

  /// The database's number; asked again as long as it is refused.
  void ask_number(std::function<void(std::uint64_t)> then) {
    c().control<control::get_db_seqnum>(
        pnn::current, {t->db_}, left(),
        [self = shared_from_this(),
         then = std::move(then)](const result<client_answer<std::uint64_t>>& r) {
          if (r) return then(r->value);
          if (may_pass(r.error()))
            return self->again([self, then] { self->ask_number(then); }, r.error());
          self->lost_touch(r.error());
        });
  }

  /// After a refusal or a recovery: what has become of it?
  void find_out(const client_error& because) {
    ask_number([self = shared_from_this(), because](std::uint64_t number) {
      if (number == self->before) return self->left_no_trace(because);
      if (number < self->before) return self->overtaken();
      self->compare(self->expected.begin(), number);
    });
  }

  void left_no_trace(const client_error& because) {
    if (cuts >= most_cuts || c().loop().now() + retry_pause >= until)
      return finish(std::unexpected(refusal("nothing is stored: " + because.text)));
    c().later(retry_pause, [self = shared_from_this()] { self->send(); });
  }

  /// If the number is as it would be, it is this transaction if its records are there. If it is higher, others came
  /// in between: this one may have come before them, and where its records are not there any more nobody knows. So it is if
  /// they came after the number was read.
  void compare(std::map<bytes, change>::const_iterator next, std::uint64_t number) {
    if (next == expected.end()) {
      so_far.seqnum = before + 1;
      return finish(so_far);
    }
    auto self = shared_from_this();
    t->present(next->first, left(), [self, next, number](const result<read_record_answer>& r) {
      if (!r) {
        if (may_pass(r.error()))
          return self->again([self, next, number] { self->compare(next, number); }, r.error());
        return self->lost_touch(r.error());
      }
      const auto& [key, mine] = *next;
      // a recovery drops deleted records
      const bool same =
          r->data == mine.data && (mine.data.empty() || r->header.rsn == mine.header.rsn);
      if (!same && number > self->before + 1) return self->lost_sight();
      if (!same && mutated(mutant::number_of_before_the_records)) return self->overtaken();
      if (!same)
        return self->ask_number([self](std::uint64_t now) {
          now == self->before + 1 ? self->overtaken() : self->lost_sight();
        });
      self->compare(std::next(next), number);
    });
  }

  /// What was sent may have been stored, whatever has become of the connection since.
  void lost_touch(client_error why) {
    if (why.code == client_errc::not_connected) why.code = client_errc::disconnected;
    if (why.code == client_errc::refused) why.code = client_errc::timed_out;
    if (why.text.empty()) why.text = "the connection is lost";
    why.text = "not known whether it is stored: " + why.text;
    finish(std::unexpected(std::move(why)));
  }

  void lost_sight() {
    finish(std::unexpected(client_error{
        client_errc::timed_out, 0,
        "not known whether it is stored: other transactions came while a recovery was going on",
        pnn::current}));
  }

  void overtaken() {
    finish(std::unexpected(refusal(
        "nothing is stored: another transaction came first, while a recovery was going on")));
  }
};

void transaction::commit(duration patience, when_done<commit_result> done) {
  const auto ends = std::make_shared<committing>(shared_from_this(),
                                                 client_->loop().now() + patience, std::move(done));
  if (!lock_) {
    client_->later(duration{0},
                   [ends] { ends->done(std::unexpected(refusal("this transaction has ended"))); });
    return;
  }
  ends->begin();
}

}  // namespace floe
