#pragma once
/// A node's figures as text in Prometheus' format, by the rows of metrics.def.
#include <string>

#include "actors/node/report/figures.hpp"

namespace floe::cli {

std::string metrics_text(const node_figures&);

/// For people and probes: "ready" or "not ready", with every check if asked for; what fails is always named.
std::string health_text(const std::vector<health_check>&, bool verbose);

}  // namespace floe::cli
