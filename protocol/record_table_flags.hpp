#pragma once
/// What a client says with RECORD_TABLE, beside the flags of record_status.hpp.
#include <cstdint>

namespace floe {

/// It reads in the table, and locks nothing there: so it may have that of a persistent or replicated database, too.
constexpr std::uint32_t record_table_for_reads = 2;

}  // namespace floe
