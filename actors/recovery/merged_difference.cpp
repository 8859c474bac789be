#include "actors/recovery/merged_difference.hpp"

#include <map>
#include <optional>

#include "protocol/rules/parts.hpp"

namespace floe {
namespace {

class sorted_by_lack {
 public:
  sorted_by_lack(db_id db, std::size_t buffer_size) : db_(db), buffer_size_(buffer_size) {}

  /// Nothing for `r`: the key is gone everywhere.
  void add(const std::vector<pnn>& to, byte_view key, const std::optional<record_view>& r,
           bool written = false) {
    const std::uint32_t beside = written ? pushed_written : 0;
    auto& p = parcels_.try_emplace(to, parcel{rec_buffer_builder(db_), {}, 0}).first->second;
    if (!p.open.empty() && p.open.size_with(key.size(), r ? r->data.size() : 0) > buffer_size_)
      p.end_buffer();
    if (r)
      p.open.add(key, r->header, r->data, beside);
    else
      p.open.add_plain(key, {}, beside);
    ++p.records;
  }

  /// Each set of nodes with its buffers.
  std::vector<parcel_of_winners> take() {
    std::vector<parcel_of_winners> all;
    for (auto& [to, p] : parcels_) {
      if (!p.open.empty()) p.end_buffer();
      all.push_back({to, std::move(p.buffers)});
    }
    return all;
  }

  std::vector<db_lack> lacks() const {
    std::map<pnn, std::uint64_t> records;
    for (const auto& [to, p] : parcels_)
      for (const pnn n : to) records[n] += p.records;
    std::vector<db_lack> all;
    for (const auto& [n, count] : records) all.push_back({n, count});
    return all;
  }

 private:
  struct parcel {
    rec_buffer_builder open;
    std::vector<frame> buffers;
    std::uint64_t records = 0;

    void end_buffer() { buffers.push_back(std::make_shared<const bytes>(open.take())); }
  };

  db_id db_;
  std::size_t buffer_size_;
  std::map<std::vector<pnn>, parcel> parcels_;
};

}  // namespace

void merged_difference::carry_out() {
  sorted_by_lack sorted(db, buffer_size);
  keys = difference->keys();
  complete = difference->decide([&](const difference_merge::decision& d) {
    auto to = d.lack;
    if (d.winner) {
      to.insert(to.end(), fresh.begin(), fresh.end());
      ++winners;
    }
    kept += d.kept;
    lost += d.lost;
    if (!to.empty()) sorted.add(to, d.key, d.winner, d.written);
  });
  for (const rec_buffer& buffer : unchanged)
    for (const rec_data& r : buffer)
      if (const auto record = r.as_record(); record && !difference->contains(r.key))
        sorted.add(fresh, r.key, record);
  parcels = sorted.take();
  lack = sorted.lacks();
  unchanged.clear();
  difference.reset();  // large as it is, it ends here, where nobody waits for it
}

}  // namespace floe
