#include "protocol/hash.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace floe {
namespace {

using word = std::uint32_t;

struct mixer {
  word a, b, c;

  void add(const char* p) {
    std::array<word, 3> w{};
    std::memcpy(w.data(), p, sizeof w);
    a += w[0];
    b += w[1];
    c += w[2];
  }
  void mix() {
    auto turn = [](word& x, word& y, word& z, int r) {
      x -= y;
      x ^= std::rotl(y, r);
      y += z;
    };
    turn(a, c, b, 4);
    turn(b, a, c, 6);
    turn(c, b, a, 8);
    turn(a, c, b, 16);
    turn(b, a, c, 19);
    turn(c, b, a, 4);
  }
  void finish() {
    auto turn = [](word& x, word y, int r) {
      x ^= y;
      x -= std::rotl(y, r);
    };
    turn(c, b, 14);
    turn(a, c, 11);
    turn(b, a, 25);
    turn(c, b, 16);
    turn(a, c, 4);
    turn(b, a, 14);
    turn(c, b, 24);
  }
};

}  // namespace

std::uint32_t key_hash(byte_view key) {
  const word start = 0xdeadbeefU + static_cast<word>(key.size());
  mixer m{start, start, start};
  const char* p = key.data();
  std::size_t left = key.size();
  for (; left > 12; left -= 12, p += 12) {
    m.add(p);
    m.mix();
  }
  if (left == 0) return m.c;
  std::array<char, 12> last{};
  std::memcpy(last.data(), p, left);
  m.add(last.data());
  m.finish();
  return m.c;
}

db_id db_id_of(byte_view name) {
  bytes with_nul(name);
  with_nul.push_back('\0');
  return db_id{key_hash(with_nul)};
}

}  // namespace floe
