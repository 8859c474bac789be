#pragma once
#include "cli/drill/checker/history.hpp"

namespace floe::cli::drill {

/// As the language calls it.
inline const char* op_name(op_kind k) {
  switch (k) {
    case op_kind::lock: return "lock";
    case op_kind::read: return "read";
    case op_kind::store: return "store";
    case op_kind::erase: return "delete";
    case op_kind::unlock: return "unlock";
    case op_kind::wipe: return "wipe";
  }
  return "?";
}

}  // namespace floe::cli::drill
