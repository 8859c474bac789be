#include "actors/client/traverse.hpp"

#include <unistd.h>

#include <atomic>
#include <utility>

#include "protocol/messages.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/traverse.hpp"

namespace floe {
namespace {

struct walk {
  floe::srvid srvid{0};
  record_visitor each;
  when_done<traverse_result> done;
  traverse_result so_far;
  timer_id deadline{0};
  std::uint64_t loss = 0;

  void finish(client& c, const result<traverse_result>& r) {
    c.loop().cancel(deadline);
    c.unwatch_loss(loss);
    c.unlisten(srvid);
    if (auto tell = std::exchange(done, nullptr)) tell(r);
  }
};

/// Where the records of one traverse go: in the range that CTDB's client library uses, with room
/// for many at once.
floe::srvid next_address() {
  static std::atomic<std::uint32_t> count{0};
  constexpr std::uint32_t count_mask = 0x00FFFFFF;
  return nth(message::client_traverse, (static_cast<std::uint64_t>(++count & count_mask) << 32) |
                                           static_cast<std::uint32_t>(::getpid()));
}

}  // namespace

void traverse(client& c, db_id db, bool with_empty, duration patience,
              std::function<void(const record_view&)> each, when_done<traverse_result> done) {
  traverse_while(
      c, db, with_empty, patience,
      [each = std::move(each)](const record_view& r) {
        each(r);
        return true;
      },
      std::move(done));
}

void traverse_while(client& c, db_id db, bool with_empty, duration patience, record_visitor each,
                    when_done<traverse_result> done) {
  auto j = std::make_shared<walk>();
  j->srvid = next_address();
  j->each = std::move(each);
  j->done = std::move(done);
  j->deadline = c.loop().after(patience, [&c, weak = std::weak_ptr(j)] {
    if (auto x = weak.lock())
      x->finish(c, std::unexpected(client_error{client_errc::timed_out, 0, {}, pnn::current}));
  });
  j->loss = c.watch_loss([&c, weak = std::weak_ptr(j)](const client_error& why) {
    if (auto x = weak.lock()) x->finish(c, std::unexpected(why));
  });
  const auto on_record = [&c, j](const client_message& m) {
    const auto d = wire::decode<rec_data>(m.data);
    if (!d)
      return j->finish(
          c, std::unexpected(client_error{client_errc::bad_reply, 0, d.error().text(), m.from}));
    if (d->is_end()) return j->finish(c, j->so_far);
    const auto r = d->as_record();
    if (!r) return;
    ++j->so_far.records;
    if (!j->each(*r)) j->finish(c, j->so_far);
  };
  c.listen(j->srvid, on_record, patience, [&c, j, db, with_empty, patience](const result<void>& r) {
    if (!j->done) return;
    if (!r) return j->finish(c, std::unexpected(r.error()));
    c.control<control::traverse_start_ext>(
        pnn::current,
        {.db_id = db,
         .reqid = reqid{1},
         .srvid = j->srvid,
         .withemptyrecords = with_empty ? std::uint8_t{1} : std::uint8_t{0}},
        patience, [&c, j](const auto& started) {
          if (!started && j->done) j->finish(c, std::unexpected(started.error()));
        });
  });
}

}  // namespace floe
