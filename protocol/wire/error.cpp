#include "protocol/wire/error.hpp"

#include <string>

namespace floe::wire {

bytes error::text() const {
  bytes out = type;
  if (*field != '\0') out.append(".").append(field);
  out.append(" at offset ").append(std::to_string(offset)).append(": ");
  const bytes want = std::to_string(wanted);
  const bytes got = std::to_string(have);
  switch (why) {
    case fault::truncated: return out + "needs " + want + " bytes, " + got + " are left";
    case fault::count_too_large: return out + want + " entries do not fit into " + got + " bytes";
    case fault::length_wrong: return out + "length is " + want + ", must be " + got;
    case fault::trailing_bytes: return out + "ends, but " + got + " bytes follow";
    case fault::bad_value: return out + "value " + got + " is not allowed";
    case fault::not_terminated: return out + "no NUL in " + got + " bytes";
    case fault::bad_magic: return out + "magic is " + got + ", must be " + want;
    case fault::bad_version: return out + "version is " + got + ", must be " + want;
    case fault::unknown_operation: return out + "unknown operation " + got;
  }
  return out;
}

bool error::operator==(const error& other) const {
  return byte_view(type) == other.type && byte_view(field) == other.field &&
         offset == other.offset && why == other.why && wanted == other.wanted && have == other.have;
}

}  // namespace floe::wire
