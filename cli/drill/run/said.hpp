#pragma once
/// What a drill says of itself in its trace beside the lines that it plays. Whoever follows a run (report/trace_line.hpp) knows
/// it by these words alone.
#include <string_view>

namespace floe::cli::drill::said {

/// "node 2 is killed", "node 2 starts"
inline constexpr std::string_view starts = "starts", goes_on = "goes on";
inline constexpr std::string_view killed = "killed", shut_down = "shut down", paused = "paused";

inline constexpr std::string_view network_whole = "the network is whole again";
inline constexpr std::string_view faults_over = "the faults are over, everybody comes back";
/// Before the reason.
inline constexpr std::string_view failed = "FAILED: ";

}  // namespace floe::cli::drill::said
