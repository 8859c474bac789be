#include "protocol/types/rec_data.hpp"

#include <cassert>
#include <limits>

#include "protocol/wire/layout.hpp"

namespace floe {

namespace {

/// The sizes at the front of a record. The sum cannot wrap: it is computed in 64 bits.
struct record_sizes {
  std::uint32_t length, reqid, key, data;
  std::uint64_t needed() const { return rec_data::wire_size_min + std::uint64_t{key} + data; }
};
static_assert(sizeof(record_sizes) == rec_data::wire_size_min);

record_sizes sizes_at(const char* at) {
  record_sizes s{};
  std::memcpy(&s, at, sizeof s);
  return s;
}

rec_data record_at(const char* at) {
  const record_sizes s = sizes_at(at);
  const char* key = at + rec_data::wire_size_min;
  return {s.reqid, byte_view(key, s.key), byte_view(key + s.key, s.data)};
}

/// Takes one record off the input; false if it is not whole.
bool get_record(wire::reader& r, rec_data& v) {
  const std::size_t start = r.offset();
  const byte_view front = r.take("length", rec_data::wire_size_min);
  if (front.empty()) return false;
  const record_sizes s = sizes_at(&front[0]);
  if (s.length != s.needed()) {
    r.fail_at(start, "length", wire::fault::length_wrong, s.length, s.needed());
    return false;
  }
  v.reqid = s.reqid;
  v.key = r.take("key", s.key);
  v.data = r.take("data", s.data);
  return r.ok();
}

void show_record(wire::sink& s, const rec_data& v) {
  using wire::scalar;
  s.hide("length", scalar::number(rec_data::wire_size_min + v.key.size() + v.data.size()), 4);
  s.show("reqid", scalar::number(v.reqid), 4);
  s.show("keylen", scalar::number(v.key.size()), 4);
  s.show("datalen", scalar::number(v.data.size()), 4);
  s.show("key", scalar::blob(v.key), v.key.size());
  byte_view data = v.data;
  if (const auto record = v.as_record()) {
    wire::codec<record_header>::show(s, "header", record->header);
    data = record->data;
  }
  s.show("data", scalar::blob(data), data.size());
}

}  // namespace

struct rec_data_row {
  static constexpr std::size_t min_size = rec_data::wire_size_min;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;
  void put(wire::writer& w, const rec_data& v) const {
    w.length(size(v));
    w.number(v.reqid);
    w.length(v.key.size());
    w.length(v.data.size());
    w.raw(v.key);
    w.raw(v.data);
  }
  void get(wire::reader& r, rec_data& v) const { get_record(r, v); }
  void show(wire::sink& s, const rec_data& v) const { show_record(s, v); }
  void make(wire::generator& g, rec_data& v) const {
    v = {static_cast<std::uint32_t>(g.number(4)), g.octets(40), g.octets(120)};
  }
  std::size_t size(const rec_data& v) const { return min_size + v.key.size() + v.data.size(); }
};

struct rec_buffer_row {
  static constexpr std::size_t min_size = rec_buffer::wire_size_min;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;

  void put(wire::writer& w, const rec_buffer& v) const {
    w.number(v.db_);
    w.number(v.count_);
    w.raw(v.records_);
  }
  void get(wire::reader& r, rec_buffer& v) const {
    v.db_ = r.number<db_id>("db_id");
    v.count_ = r.number<std::uint32_t>("count");
    if (!r.fits("records", v.count_, rec_data::wire_size_min)) return;
    const std::size_t start = r.offset();
    const byte_view all = r.rest();
    rec_data one;
    const char* outer = r.enter("rec_data");
    for (std::uint32_t i = 0; i < v.count_; ++i) {
      if (!get_record(r, one)) break;
    }
    r.enter(outer);
    if (r.ok()) v.records_ = all.substr(0, r.offset() - start);
  }
  void show(wire::sink& s, const rec_buffer& v) const {
    s.show("db_id", wire::to_scalar(v.db_), 4, &db_id_text);
    s.show("count", wire::scalar::number(v.count_), 4);
    s.begin_list("records");
    for (const rec_data r : v) {
      s.begin_object("");
      show_record(s, r);
      s.end();
    }
    s.end();
  }
  void make(wire::generator& g, rec_buffer& v) const {
    rec_buffer_builder b(static_cast<db_id>(g.number(4)));
    const std::size_t count = g.below(5);
    for (std::size_t i = 0; i < count; ++i) {
      const auto reqid = static_cast<std::uint32_t>(g.number(4));
      if (g.coin())
        b.add(g.octets(30), wire::codec<record_header>::make(g), g.octets(80), reqid);
      else
        b.add_plain(g.octets(30), g.octets(80), reqid);
    }
    v = b.view();
    v.records_ = g.keep(bytes(v.records_));
  }
  std::size_t size(const rec_buffer& v) const { return min_size + v.records_.size(); }
};

constexpr auto layout(wire::of<rec_data>) { return wire::record("rec_data", rec_data_row{}); }
constexpr auto layout(wire::of<rec_buffer>) { return wire::record("rec_buffer", rec_buffer_row{}); }

template struct wire::codec<rec_data>;
template struct wire::codec<rec_buffer>;

record_header load_header(const char* from) {
  static_assert(sizeof(record_header) == record_header::wire_size);
  record_header h;
  // same fields in the same order without holes, see the layout above
  std::memcpy(static_cast<void*>(&h), from, sizeof h);
  return h;
}

void append_header(bytes& out, const record_header& h) {
  out.append(reinterpret_cast<const char*>(&h), sizeof h);
}

std::optional<record_view> rec_data::as_record() const {
  if (data.size() < record_header::wire_size) return std::nullopt;
  return record_view{key, load_header(&data[0]), data.substr(record_header::wire_size)};
}

rec_data rec_buffer::iterator::operator*() const { return record_at(at_); }

rec_buffer_builder::rec_buffer_builder(floe::db_id db, std::size_t reserve) : db_(db) {
  out_.reserve(reserve + rec_buffer::wire_size_min);
  reset();
}

void rec_buffer_builder::reset() {
  count_ = 0;
  out_.clear();
  wire::writer w(out_);
  w.number(db_);
  w.number(count_);
}

void rec_buffer_builder::start(std::uint32_t reqid, std::size_t key_size, std::size_t data_size) {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  assert(key_size <= most && data_size <= most - rec_data::wire_size_min - key_size);
  const auto key = static_cast<std::uint32_t>(key_size);
  const auto data = static_cast<std::uint32_t>(data_size);
  const record_sizes s{static_cast<std::uint32_t>(rec_data::wire_size_min) + key + data, reqid, key,
                       data};
  out_.append(reinterpret_cast<const char*>(&s), sizeof s);
  ++count_;
  std::memcpy(out_.data() + sizeof(db_id), &count_, sizeof count_);
}

void rec_buffer_builder::add(byte_view key, const record_header& header, byte_view data,
                             std::uint32_t reqid) {
  start(reqid, key.size(), record_header::wire_size + data.size());
  out_.append(key);
  append_header(out_, header);
  out_.append(data);
}

void rec_buffer_builder::add_plain(byte_view key, byte_view data, std::uint32_t reqid) {
  start(reqid, key.size(), data.size());
  out_.append(key);
  out_.append(data);
}

rec_buffer rec_buffer_builder::view() const {
  rec_buffer v(db_);
  v.count_ = count_;
  v.records_ = byte_view(out_).substr(rec_buffer::wire_size_min);
  return v;
}

bytes rec_buffer_builder::take() {
  bytes done = std::move(out_);
  out_ = bytes();
  reset();
  return done;
}

}  // namespace floe
