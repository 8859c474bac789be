#include "cli/replay/records.hpp"

#include <fmt/format.h>

#include "cli/keys.hpp"

namespace floe::cli {
namespace {

constexpr std::size_t in_flight = 64;  ///< for each node
constexpr duration patience = std::chrono::seconds(60);

/// Runs `count` operations with a limited number under way. `start(i, done)` begins number i.
class pump : public std::enable_shared_from_this<pump> {
 public:
  using start_function = std::function<void(std::size_t, when_done<void>)>;
  pump(std::size_t count, start_function start, progress_function progress)
      : count_(count), start_(std::move(start)), progress_(std::move(progress)) {}

  result<void> run(stage& s, std::size_t width) {
    return s.wait<void>([&](auto done) {
      done_ = done;
      if (count_ == 0) return done_({});
      for (std::size_t i = 0; i < width; ++i) next();
    });
  }

 private:
  void next() {
    if (started_ == count_ || failed_) return;
    start_(started_++, [self = shared_from_this()](const result<void>& r) { self->one_done(r); });
  }
  void one_done(const result<void>& r) {
    if (failed_) return;
    if (!r) {
      failed_ = true;
      return done_(std::unexpected(r.error()));
    }
    ++finished_;
    if (progress_) progress_(finished_);
    if (finished_ == count_) return done_({});
    next();
  }

  std::size_t count_, started_ = 0, finished_ = 0;
  bool failed_ = false;
  start_function start_;
  progress_function progress_;
  when_done<void> done_;
};

std::vector<std::pair<bytes, bytes>> as_list(const database_content& d) {
  return {d.records.begin(), d.records.end()};
}

void write_one(client& c, db_id db, const bytes& key, const bytes& value, when_done<void> done) {
  lock_record(c, db, key, patience,
              [&c, value, done = std::move(done)](const result<locked_record>& r) {
                if (!r) return done(std::unexpected(r.error()));
                store_record(c, r->lock_id, value, after_write::unlock, patience, done);
              });
}

}  // namespace

result<void> write_all(stage& s, const database_content& d, std::optional<std::size_t> node,
                       const progress_function& progress) {
  const auto list = as_list(d);
  auto p = std::make_shared<pump>(
      list.size(),
      [&](std::size_t i, when_done<void> done) {
        write_one(s.node(node.value_or(i % s.size())), d.id, list[i].first, list[i].second,
                  std::move(done));
      },
      progress);
  return p->run(s, in_flight * s.size());
}

result<comparison> read_all(stage& s, std::size_t node, const database_content& d,
                            const progress_function& progress) {
  const auto list = as_list(d);
  comparison c;
  auto p = std::make_shared<pump>(
      list.size(),
      [&](std::size_t i, when_done<void> done) {
        read_record(s.node(node), d.id, list[i].first, read_from::owner, patience,
                    [&, i, done = std::move(done)](const result<read_record_answer>& r) {
                      if (!r) return done(std::unexpected(r.error()));
                      ++c.read;
                      const bool wrong = r->found && r->data != list[i].second;
                      c.missing += !r->found;
                      c.different += wrong;
                      if ((wrong || !r->found) && c.example.empty())
                        c.example = fmt::format(
                            "{} of {} is {} at node {}", show_octets(list[i].first), d.name,
                            r->found ? "`" + show_octets(r->data).substr(0, 60) + "`" : "missing",
                            node);
                      done({});
                    });
      },
      progress);
  const auto end = p->run(s, in_flight);
  if (!end) return std::unexpected(end.error());
  return c;
}

}  // namespace floe::cli
