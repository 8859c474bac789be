/// traverse_here: RECORD_SCAN, page by page.
#include "actors/client/traverse.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {
namespace {

constexpr std::uint32_t page_bytes = 1 << 20;

struct local_walk : std::enable_shared_from_this<local_walk> {
  local_walk(client& on, db_id of, duration page, record_visitor show,
             when_done<traverse_result> tell)
      : c(on), db(of), patience(page), each(std::move(show)), done(std::move(tell)) {}

  client& c;
  db_id db;
  duration patience;
  record_visitor each;
  when_done<traverse_result> done;
  bytes last;
  traverse_result so_far;

  void next() {
    c.control<control::record_scan>(
        pnn::current, {.db_id = db, .max_bytes = page_bytes, .after = last}, patience,
        [self = shared_from_this()](const result<client_answer<rec_buffer>>& page) {
          if (!page) return self->done(std::unexpected(page.error()));
          if (page->value.empty()) return self->done(self->so_far);
          if (!self->show(page->value)) return self->done(self->so_far);
          self->next();
        });
  }

  bool show(const rec_buffer& page) {
    for (const rec_data& raw : page) {
      last.assign(raw.key);
      const auto r = raw.as_record();
      if (!r) continue;
      ++so_far.records;
      if (!each(*r)) return false;
    }
    return true;
  }
};

}  // namespace

void traverse_here(client& c, db_id db, duration patience,
                   std::function<void(const record_view&)> each, when_done<traverse_result> done) {
  traverse_here_while(
      c, db, patience,
      [each = std::move(each)](const record_view& r) {
        each(r);
        return true;
      },
      std::move(done));
}

void traverse_here_while(client& c, db_id db, duration patience, record_visitor each,
                         when_done<traverse_result> done) {
  std::make_shared<local_walk>(c, db, patience, std::move(each), std::move(done))->next();
}

}  // namespace floe
