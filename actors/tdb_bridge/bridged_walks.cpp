/// Walks through a bridged database, with a visitor of the caller's or key by key, as libtdb has them. What is shown are the
/// records of this node.
#include <algorithm>

#include "actors/tdb_bridge/bridged_database.hpp"
#include "actors/tdb_bridge/tdb_octets.hpp"
#include "protocol/hash.hpp"

namespace floe::bridge {
namespace {

/// A record as floe_traverse shows it, for a visitor of libtdb's kind.
struct visit {
  tdb_context* self;
  tdb_traverse_func run;
  void* context;
  const unsigned* chain;  ///< null: all
  unsigned chains;
  int shown = 0;

  static int show(const void* key, std::size_t key_size, const void* data, std::size_t data_size,
                  const floe_header* h, void* to) {
    auto& v = *static_cast<visit*>(to);
    std::string k(static_cast<const char*>(key), key_size);
    if (v.chain && key_hash(k) % v.chains != *v.chain) return 0;
    auto all = octets(*h, data, data_size);
    ++v.shown;
    return v.run ? v.run(v.self, as_data(k), as_data(all), v.context) : 0;
  }
};

}  // namespace

int bridged_database::walk(tdb_traverse_func run, void* context) {
  before_read();
  visit v{self_, run, context, nullptr, 0};
  const int code = floe_traverse(node_, db_, FLOE_LOCAL | FLOE_WITH_EMPTY, FLOE_FOREVER,
                                 visit::show, &v, nullptr);
  return code == FLOE_OK ? v.shown : failed(code, "walk through");
}

unsigned bridged_database::chain_of(TDB_DATA key) const {
  return key_hash(as_string(key)) % static_cast<unsigned>(options_.hash_size);
}

int bridged_database::walk_chain(unsigned chain, tdb_traverse_func run, void* context) {
  before_read();
  visit v{self_, run, context, &chain, static_cast<unsigned>(options_.hash_size)};
  const int code = floe_traverse(node_, db_, FLOE_LOCAL | FLOE_WITH_EMPTY, FLOE_FOREVER,
                                 visit::show, &v, nullptr);
  return code == FLOE_OK ? v.shown : failed(code, "walk through");
}

TDB_DATA bridged_database::first_key() {
  keys_.clear();
  next_key_ = 0;
  const auto keep = [](const void* key, std::size_t size, const void*, std::size_t,
                       const floe_header*, void* to) {
    static_cast<std::vector<std::string>*>(to)->emplace_back(static_cast<const char*>(key), size);
    return 0;
  };
  const int code =
      floe_traverse(node_, db_, FLOE_LOCAL | FLOE_WITH_EMPTY, FLOE_FOREVER, keep, &keys_, nullptr);
  if (code != FLOE_OK) {
    failed(code, "walk through");
    return {nullptr, 0};
  }
  if (keys_.empty()) return {nullptr, 0};
  next_key_ = 1;
  return copy(keys_.front());
}

TDB_DATA bridged_database::next_key(TDB_DATA key) {
  const auto last = as_string(key);
  // nearly always the one behind the last that was handed out
  if (next_key_ == 0 || next_key_ > keys_.size() || keys_[next_key_ - 1] != last)
    next_key_ = static_cast<std::size_t>(std::ranges::find(keys_, last) - keys_.begin()) + 1;
  if (next_key_ >= keys_.size()) return {nullptr, 0};
  return copy(keys_[next_key_++]);
}

}  // namespace floe::bridge
