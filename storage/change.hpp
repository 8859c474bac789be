#pragma once
/// One change of a store's content, and the log of an open group: a group that ran out of map is
/// played again on a larger one, so its changes are kept until they are committed.
#include <cstdint>
#include <cstring>
#include <utility>

#include "protocol/record.hpp"
#include "storage/function_ref.hpp"

namespace floe {

enum class change_kind : std::uint8_t {
  put,       ///< store the record, whatever was there
  erase,     ///< delete it if it is there
  set_meta,  ///< key is the name of a metadatum, data its content
};

struct change {
  change_kind what = change_kind::put;
  byte_view key;
  record_header header{};
  byte_view data{};

  static change put(byte_view key, const record_header& header, byte_view data) {
    return {change_kind::put, key, header, data};
  }
  static change put(const record_view& r) { return {change_kind::put, r.key, r.header, r.data}; }
  static change erase(byte_view key) { return {change_kind::erase, key}; }
  static change set_meta(byte_view name, byte_view content) {
    return {change_kind::set_meta, name, {}, content};
  }
};

class change_log {
 public:
  bool empty() const { return log_.empty(); }
  std::size_t size_bytes() const { return log_.size(); }

  /// Does it hold anything but deletions?
  bool adds() const { return adds_; }

  void append(const change& c) {
    adds_ |= c.what != change_kind::erase;
    head h{c.what, c.key.size(), c.data.size(), c.header};
    log_.append(reinterpret_cast<const char*>(&h), sizeof h);
    log_.append(c.key);
    log_.append(c.data);
  }
  struct mark {
    std::size_t length = 0;
    bool adds = false;
  };
  mark here() const { return {log_.size(), adds_}; }
  /// Forgets everything since then.
  void cut(const mark& to) {
    log_.resize(to.length);
    adds_ = to.adds;
  }
  void clear() {
    if (log_.capacity() > keep_capacity) bytes().swap(log_);
    log_.clear();
    adds_ = false;
  }

  /// Stops at the first result that is not 0 and returns it.
  int replay(function_ref<int(const change&)> apply) const {
    byte_view rest = log_;
    while (!rest.empty()) {
      head h;
      std::memcpy(&h, rest.data(), sizeof h);
      rest.remove_prefix(sizeof h);
      change c{h.what, rest.substr(0, h.key_size), h.header, rest.substr(h.key_size, h.data_size)};
      rest.remove_prefix(h.key_size + h.data_size);
      if (int rc = apply(c)) return rc;
    }
    return 0;
  }

 private:
  struct head {
    change_kind what = change_kind::put;
    std::size_t key_size = 0, data_size = 0;
    record_header header;
  };
  static constexpr std::size_t keep_capacity = 1 << 20;
  bytes log_;
  bool adds_ = false;
};

}  // namespace floe
