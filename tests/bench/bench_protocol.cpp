// How fast packets and buffers of records are encoded, decoded and cut out of a stream.
//   meson test --benchmark -C build protocol --verbose
#include <benchmark/benchmark.h>

#include <cstring>

#include "protocol/framing.hpp"
#include "protocol/hash.hpp"
#include "protocol/packet.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/statistics.hpp"

using namespace floe;

namespace {

const packet_header header{generation{7}, pnn{1}, pnn{0}, reqid{12}};
const bytes data_200(200, 'd');

packet_body body(operation op) {
  static const bytes map = wire::encode(node_map{std::vector<node_and_flags>(3)});
  switch (op) {
    case operation::req_call:
      return req_call{.flags = 1, .db = db_id{5}, .callid = 1, .key = "some key"};
    case operation::reply_call: return reply_call{.data = data_200};
    case operation::req_dmaster:
      return req_dmaster{db_id{5}, rsn{9}, pnn{1}, "some key", data_200, 0};
    case operation::reply_dmaster: return reply_dmaster{db_id{5}, rsn{9}, "some key", data_200, 0};
    case operation::reply_error: return reply_error{.message = "no such database"};
    case operation::req_message: return req_message{srvid{1}, data_200};
    case operation::req_control: return req_control{.opcode = control::get_nodemap};
    case operation::reply_control: return reply_control{.data = map};
    case operation::req_keepalive: return req_keepalive{1, 2};
    case operation::req_tunnel: return req_tunnel{1, 1, data_200};
  }
  return {};
}

void per_packet(benchmark::State& state, std::size_t size) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void encode(benchmark::State& state, operation op) {
  const packet_body b = body(op);
  for (auto _ : state) benchmark::DoNotOptimize(encode_packet(header, b));
  per_packet(state, packet_size(b));
}

void decode(benchmark::State& state, operation op) {
  const bytes whole = encode_packet(header, body(op));
  for (auto _ : state) benchmark::DoNotOptimize(decode_packet(whole));
  per_packet(state, whole.size());
}

BENCHMARK_CAPTURE(encode, req_call, operation::req_call);
BENCHMARK_CAPTURE(encode, reply_call, operation::reply_call);
BENCHMARK_CAPTURE(encode, req_dmaster, operation::req_dmaster);
BENCHMARK_CAPTURE(encode, reply_dmaster, operation::reply_dmaster);
BENCHMARK_CAPTURE(encode, reply_error, operation::reply_error);
BENCHMARK_CAPTURE(encode, req_message, operation::req_message);
BENCHMARK_CAPTURE(encode, req_control, operation::req_control);
BENCHMARK_CAPTURE(encode, reply_control, operation::reply_control);
BENCHMARK_CAPTURE(encode, req_keepalive, operation::req_keepalive);
BENCHMARK_CAPTURE(encode, req_tunnel, operation::req_tunnel);
BENCHMARK_CAPTURE(decode, req_call, operation::req_call);
BENCHMARK_CAPTURE(decode, reply_call, operation::reply_call);
BENCHMARK_CAPTURE(decode, req_dmaster, operation::req_dmaster);
BENCHMARK_CAPTURE(decode, reply_dmaster, operation::reply_dmaster);
BENCHMARK_CAPTURE(decode, reply_error, operation::reply_error);
BENCHMARK_CAPTURE(decode, req_message, operation::req_message);
BENCHMARK_CAPTURE(decode, req_control, operation::req_control);
BENCHMARK_CAPTURE(decode, reply_control, operation::reply_control);
BENCHMARK_CAPTURE(decode, req_keepalive, operation::req_keepalive);
BENCHMARK_CAPTURE(decode, req_tunnel, operation::req_tunnel);

// ---- payloads
// ------------------------------------------------------------------------------------------------------

void decode_node_map(benchmark::State& state) {
  const bytes map =
      wire::encode(node_map{std::vector<node_and_flags>(static_cast<std::size_t>(state.range(0)))});
  for (auto _ : state) benchmark::DoNotOptimize(wire::decode<node_map>(map));
  per_packet(state, map.size());
}
BENCHMARK(decode_node_map)->Arg(3)->Arg(100);

void decode_statistics(benchmark::State& state) {
  const bytes s = wire::encode(statistics{});
  for (auto _ : state) benchmark::DoNotOptimize(wire::decode<statistics>(s));
  per_packet(state, s.size());
}
BENCHMARK(decode_statistics);

void json_of_statistics(benchmark::State& state) {
  const bytes s = wire::encode(statistics{});
  const bytes whole = encode_packet(header, reply_control{.data = s});
  for (auto _ : state) benchmark::DoNotOptimize(packet_to_json(whole, control::statistics));
  per_packet(state, whole.size());
}
BENCHMARK(json_of_statistics);

// ---- a buffer of records, as recoveries send them
// --------------------------------------------------------------------

bytes record_buffer(std::size_t size, std::size_t data_size) {
  rec_buffer_builder b(db_id{5}, size);
  const bytes data(data_size, 'd');
  for (std::uint32_t i = 0; b.size_with(8, data_size) <= size; ++i) {
    bytes key = "key.....";
    std::memcpy(key.data() + 3, &i, sizeof i);
    b.add(key, {rsn{i}, pnn{0}}, data);
  }
  return b.take();
}

constexpr std::size_t one_megabyte = 1'000'000;

/// Arg: bytes of data per record.
void build_record_buffer(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(record_buffer(one_megabyte, size));
  per_packet(state, one_megabyte);
}
BENCHMARK(build_record_buffer)->Arg(24)->Arg(200)->Arg(4000);

/// Decode checks every record; then every key is looked at, as a merge would.
void decode_record_buffer(benchmark::State& state) {
  const bytes encoded = record_buffer(one_megabyte, static_cast<std::size_t>(state.range(0)));
  std::int64_t records = 0;
  for (auto _ : state) {
    const auto buffer = wire::decode<rec_buffer>(encoded);
    records += buffer->count();
    for (const rec_data r : *buffer) benchmark::DoNotOptimize(r.key.front());
  }
  per_packet(state, encoded.size());
  state.SetItemsProcessed(records);
}
BENCHMARK(decode_record_buffer)->Arg(24)->Arg(200)->Arg(4000);

/// What the memory gives, to compare with: the same bytes summed up, and copied.
void read_same_bytes(benchmark::State& state) {
  const bytes encoded = record_buffer(one_megabyte, 200);
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 8 <= encoded.size(); i += 8) {
      std::uint64_t n = 0;
      std::memcpy(&n, encoded.data() + i, sizeof n);
      sum += n;
    }
    benchmark::DoNotOptimize(sum);
  }
  per_packet(state, encoded.size());
}
BENCHMARK(read_same_bytes);

void copy_same_bytes(benchmark::State& state) {
  const bytes encoded = record_buffer(one_megabyte, 200);
  bytes target(encoded.size(), '\0');
  for (auto _ : state) {
    std::memcpy(target.data(), encoded.data(), encoded.size());
    benchmark::DoNotOptimize(target.data());
    benchmark::ClobberMemory();
  }
  per_packet(state, encoded.size());
}
BENCHMARK(copy_same_bytes);

/// The whole way of a recovery's message: into a packet, through a stream, out of the framing, into
/// records.
void record_buffer_through_stream(benchmark::State& state) {
  const bytes encoded = record_buffer(one_megabyte, 200);
  framer f;
  for (auto _ : state) {
    const bytes whole = encode_packet(header, req_message{srvid{1}, encoded});
    for (byte_view left = whole; !left.empty();) {
      const auto room = f.prepare();
      const std::size_t n = std::min(room.size(), left.size());
      std::memcpy(room.data(), left.data(), n);  // in the place of read()
      f.commit(n);
      left.remove_prefix(n);
      const auto cut = f.next();
      if (!*cut) continue;
      const auto p = decode_packet(***cut);
      const auto buffer = wire::decode<rec_buffer>(std::get<req_message>(p->body).data);
      benchmark::DoNotOptimize(buffer->count());
    }
  }
  per_packet(state, encoded.size());
}
BENCHMARK(record_buffer_through_stream);

// ---- framing
// -------------------------------------------------------------------------------------------------------

void cut_small_packets(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const bytes packet = encode_packet(header, req_message{srvid{1}, bytes(size - 48, 'x')});
  bytes stream;
  while (stream.size() + packet.size() <= 60'000) stream += packet;
  framer f;
  std::int64_t packets = 0;
  for (auto _ : state) {
    const auto room = f.prepare(stream.size());
    std::memcpy(room.data(), stream.data(), stream.size());
    f.commit(stream.size());
    for (auto cut = f.next(); *cut; cut = f.next()) ++packets;
  }
  per_packet(state, stream.size());
  state.SetItemsProcessed(packets);
}
BENCHMARK(cut_small_packets)->Arg(64)->Arg(256)->Arg(1024);

void hash_of_key(benchmark::State& state) {
  const bytes key(static_cast<std::size_t>(state.range(0)), 'k');
  for (auto _ : state) benchmark::DoNotOptimize(key_hash(key));
  per_packet(state, key.size());
}
BENCHMARK(hash_of_key)->Arg(8)->Arg(64);

}  // namespace

BENCHMARK_MAIN();
