#include "actors/clib/value.hpp"

#include <cstdlib>
#include <cstring>

#include "protocol/constants.hpp"

namespace floe::clib {

outcome<void> fill(floe_value& out, byte_view data) {
  out = {};
  out.exists = 1;
  if (data.empty()) return {};
  out.data = std::malloc(data.size());
  if (!out.data) return failed(FLOE_ENOMEM, "out of memory");
  std::memcpy(out.data, data.data(), data.size());
  out.size = data.size();
  return {};
}

floe_header as_c(const record_header& h) {
  // a header that was invented for an answer is no different from a real one to who asked
  return {number(h.rsn), number(h.dmaster), h.flags & ~record_flag::automatic};
}

}  // namespace floe::clib

void floe_free(floe_value* v) {
  if (!v) return;
  std::free(v->data);
  v->data = nullptr;
  v->size = 0;
}
