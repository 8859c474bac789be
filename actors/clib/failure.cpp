#include "actors/clib/failure.hpp"

#include <algorithm>
#include <climits>

namespace floe::clib {
namespace {

std::string& words() {
  static thread_local std::string text;
  return text;
}

}  // namespace

int milliseconds_left(const limit& l, int least) {
  if (!l) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*l - steady::now()).count();
  return static_cast<int>(std::clamp<long long>(left, least, INT_MAX));
}

int report(int code, const char* text) noexcept {
  try {
    words() = text;
  } catch (...) {
    words().clear();
  }
  return code;
}

int report(const failure& f) noexcept { return report(f.code, f.text.c_str()); }

}  // namespace floe::clib

const char* floe_error_text(void) { return floe::clib::words().c_str(); }

const char* floe_error_name(int error) {
  switch (error) {
    case FLOE_OK: return "FLOE_OK";
    case FLOE_EINVAL: return "FLOE_EINVAL";
    case FLOE_ENOTCONN: return "FLOE_ENOTCONN";
    case FLOE_ETIMEOUT: return "FLOE_ETIMEOUT";
    case FLOE_EREFUSED: return "FLOE_EREFUSED";
    case FLOE_ELOST: return "FLOE_ELOST";
    case FLOE_EREPLY: return "FLOE_EREPLY";
    case FLOE_ENOENT: return "FLOE_ENOENT";
    case FLOE_ENOLOCK: return "FLOE_ENOLOCK";
    case FLOE_ESTORE: return "FLOE_ESTORE";
    case FLOE_ENOMEM: return "FLOE_ENOMEM";
    case FLOE_ECHANGED: return "FLOE_ECHANGED";
    default: return error >= 0 ? "FLOE_OK" : "unknown";
  }
}

const char* floe_version(void) { return FLOE_CLIENT_VERSION; }
