/// How long the store takes. Files of volatile databases are in memory (/dev/shm) where there is
/// such a folder, those of persistent ones on disk; keys have 24 bytes, data 200 unless said
/// otherwise.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>

#include "storage/merge.hpp"
#include "storage/recovery_set.hpp"

namespace {

using namespace floe;

constexpr std::size_t buffer_size = 1'000'000;

template <class T>
T good(std::expected<T, store_error> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().text.c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

class bench_dir {
 public:
  explicit bench_dir(bool in_memory) {
    auto parent = in_memory && access("/dev/shm", W_OK) == 0
                      ? std::filesystem::path("/dev/shm")
                      : std::filesystem::temp_directory_path();
    std::string name = parent / "floe-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~bench_dir() { std::filesystem::remove_all(path_); }
  std::filesystem::path file() const { return path_ / "bench.ldb"; }

 private:
  std::filesystem::path path_;
};

/// n records in key order, all data in one piece of memory.
class record_table {
 public:
  record_table(std::size_t n, std::size_t data_size, std::uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    keys_.resize(n);
    for (auto& key : keys_) {
      key.resize(24);
      for (auto& octet : key) octet = static_cast<char>(random() & 0xff);
    }
    std::ranges::sort(keys_);
    data_.assign(data_size + n, 'x');
    for (std::size_t i = 0; i < n; ++i)
      views_.push_back({keys_[i], {.rsn = rsn{1}}, byte_view(data_).substr(i, data_size)});
  }
  std::vector<record_view>& views() { return views_; }
  std::uint64_t size_bytes() const { return views_.size() * (24 + views_[0].data.size()); }

 private:
  std::vector<bytes> keys_;
  bytes data_;
  std::vector<record_view> views_;
};

std::size_t count_of(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

struct filled_store {
  filled_store(std::size_t n, std::size_t data_size = 200, db_kind kind = db_kind::volatile_db)
      : dir(kind == db_kind::volatile_db),
        table(n, data_size),
        s(good(store::open({.kind = kind, .file = dir.file(), .create_empty = true}))) {
    good(s.bulk_store(table.views()));
  }
  bench_dir dir;
  record_table table;
  store s;
  std::mt19937_64 random{2};
  std::uint64_t number = 1;

  const record_view& any() { return table.views()[random() % table.views().size()]; }
  void put() {
    const auto& r = any();
    good(s.put(r.key, {.rsn = rsn{++number}}, r.data));
  }
};

/// Put and flush of range(1) records each time; time per record is items per second.
void put_flush(benchmark::State& state) {
  filled_store f(count_of(state));
  auto group = state.range(1);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < group; ++i) f.put();
    good(f.s.flush());
  }
  state.SetItemsProcessed(state.iterations() * group);
}
BENCHMARK(put_flush)
    ->ArgsProduct({{1000, 10'000, 100'000}, {1, 16, 256}})
    ->ArgNames({"records", "group"});

void get(benchmark::State& state) {
  filled_store f(count_of(state));
  for (auto _ : state) {
    bool found =
        good(f.s.visit(f.any().key, [](const record_view& r) { benchmark::DoNotOptimize(r); }));
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(get)->Arg(1000)->Arg(10'000)->Arg(100'000)->ArgName("records");

void fetch_put_flush(benchmark::State& state) {
  filled_store f(count_of(state));
  for (auto _ : state) {
    const auto& r = f.any();
    auto found = good(f.s.get(r.key));
    good(f.s.put(r.key, {.rsn = next(found->header.rsn)}, found->data));
    good(f.s.flush());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(fetch_put_flush)->Arg(10'000)->Arg(100'000)->ArgName("records");

void durable_commit(benchmark::State& state) {
  filled_store f(10'000, 200, db_kind::persistent);
  for (auto _ : state) {
    const auto& r = f.any();
    change c = change::put(r.key, {.rsn = rsn{++f.number}}, r.data);
    good(f.s.apply({&c, 1}, durability::committed));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(durable_commit)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// Everything copied into reused buffers of 1 MB.
void scan(benchmark::State& state) {
  filled_store f(count_of(state), static_cast<std::size_t>(state.range(1)));
  bytes buffer;
  buffer.reserve(2 * buffer_size);
  for (auto _ : state) {
    scan_position at;
    while (!at.at_end()) {
      buffer.clear();
      at = good(f.s.scan(at, [&](const record_view& r) {
        if (buffer.size() > buffer_size) return false;
        buffer.append(reinterpret_cast<const char*>(&r.header), sizeof r.header);
        buffer.append(r.key);
        buffer.append(r.data);
        return true;
      }));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * state.range(0) * (48 + state.range(1)));
}
BENCHMARK(scan)
    ->Args({10'000, 200})
    ->Args({100'000, 200})
    ->Args({1000, 65536})
    ->ArgNames({"records", "data"})
    ->Unit(benchmark::kMillisecond);

/// A recovered content replaces the one that is there; range(1) percent of it differ.
void replace(benchmark::State& state) {
  filled_store f(count_of(state));
  auto every = state.range(1) == 0 ? 0 : static_cast<std::size_t>(100 / state.range(1));
  for (auto _ : state) {
    state.PauseTiming();
    ++f.number;
    for (std::size_t i = 0; every != 0 && i < f.table.views().size(); i += every)
      f.table.views()[i].header.rsn = rsn{f.number};
    state.ResumeTiming();
    span_source source(f.table.views(), {}, f.table.size_bytes());
    benchmark::DoNotOptimize(good(f.s.replace(source)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(replace)
    ->ArgsProduct({{10'000, 100'000}, {0, 1, 10, 100}})
    ->ArgNames({"records", "differ_percent"})
    ->Unit(benchmark::kMillisecond);

/// Into an empty store just created.
void fill(benchmark::State& state) {
  record_table table(count_of(state), 200);
  for (auto _ : state) {
    state.PauseTiming();
    {
      bench_dir dir(true);
      store s = good(store::open({.file = dir.file(), .create_empty = true}));
      span_source source(table.views(), {}, table.size_bytes());
      state.ResumeTiming();
      benchmark::DoNotOptimize(good(s.replace(source)));
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fill)->Arg(10'000)->Arg(100'000)->ArgName("records")->Unit(benchmark::kMillisecond);

void wipe_and_fill(benchmark::State& state) {
  filled_store f(count_of(state));
  for (auto _ : state) {
    good(f.s.wipe());
    span_source source(f.table.views(), {}, f.table.size_bytes());
    benchmark::DoNotOptimize(good(f.s.replace(source)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(wipe_and_fill)->Arg(10'000)->ArgName("records")->Unit(benchmark::kMillisecond);

void compact(benchmark::State& state) {
  filled_store f(count_of(state));
  for (auto _ : state) good(f.s.compact());
}
BENCHMARK(compact)->Arg(1000)->Arg(10'000)->ArgName("records")->Unit(benchmark::kMillisecond);

/// Pushed records as a real ctdbd sends them, in its own order.
void recovery_commit_unsorted(benchmark::State& state) {
  filled_store f(count_of(state));
  recovery_set set;
  std::vector<record_view> shuffled = f.table.views();
  std::ranges::shuffle(shuffled, f.random);
  for (const auto& r : shuffled) set.add(r);
  for (auto _ : state) benchmark::DoNotOptimize(good(set.replace_content(f.s)));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(recovery_commit_unsorted)->Arg(10'000)->ArgName("records")->Unit(benchmark::kMillisecond);

/// Three nodes with 90 % common keys; buffers of about 1 MB with their views made beforehand.
void merge(benchmark::State& state) {
  bool sorted = state.range(1) != 0;
  record_table table(count_of(state), 200);
  std::mt19937_64 random(3);
  struct node {
    std::vector<bytes> memory;  // every node has bytes of its own
    std::vector<std::vector<record_view>> buffers;
  };
  std::vector<node> nodes(3);
  std::int64_t total = 0;
  for (auto& n : nodes) {
    auto views = table.views();
    std::erase_if(views, [&](const record_view&) { return random() % 10 == 0; });
    if (!sorted) std::ranges::shuffle(views, random);
    std::size_t per_buffer = buffer_size / 248;
    for (std::size_t at = 0; at < views.size(); at += per_buffer) {
      auto part = std::span(views).subspan(at, std::min(per_buffer, views.size() - at));
      bytes memory;
      memory.reserve(part.size() * 224);
      std::vector<record_view> moved;
      for (const auto& r : part) {
        std::size_t from = memory.size();
        memory.append(r.key).append(r.data);
        moved.push_back({byte_view(memory).substr(from, 24),
                         {.rsn = rsn{random() % 3}},
                         byte_view(memory).substr(from + 24)});
      }
      n.memory.push_back(std::move(memory));
      n.buffers.push_back(std::move(moved));
      total += static_cast<std::int64_t>(part.size());
    }
  }
  auto newer = [](const record_copy& a, const record_copy& b) {
    return a.record.header.rsn > b.record.header.rsn;
  };
  for (auto _ : state) {
    state.PauseTiming();
    auto buffers = nodes;
    std::size_t winners = 0;
    {
      record_merge m(newer);
      for (std::uint32_t i = 0; i < 3; ++i)
        m.add_stream(pnn{i}, sorted ? stream_order::ascending : stream_order::any);
      state.ResumeTiming();
      for (std::size_t b = 0; b < nodes[0].buffers.size() + 2; ++b)
        for (std::uint32_t i = 0; i < 3; ++i) {
          if (b < buffers[i].buffers.size())
            good(m.feed(pnn{i}, nullptr, std::move(buffers[i].buffers[b])));
          if (b == buffers[i].buffers.size()) m.end_stream(pnn{i});
          m.run([&](const record_copy& winner) {
            benchmark::DoNotOptimize(winner);
            ++winners;
            return true;
          });
        }
      if (!m.finished()) std::abort();
      state.PauseTiming();
    }
    benchmark::DoNotOptimize(winners);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * total);
}
BENCHMARK(merge)
    ->Args({10'000, 1})
    ->Args({10'000, 0})
    ->Args({1'000'000, 1})
    ->Args({1'000'000, 0})
    ->ArgNames({"records", "sorted"})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
