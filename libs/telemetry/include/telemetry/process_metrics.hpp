#pragma once

#include <vector>

#include "telemetry/metrics.hpp"

namespace lanyard::telemetry {

// Adds the usual process_* metrics (CPU seconds, resident and virtual bytes, open and allowed file descriptors,
// threads, start time; read from /proc at each scrape) and lanyard_build_info. Once per process registry; keep the
// result as long as they are to be shown.
[[nodiscard]] std::vector<MetricRegistry::Callback> add_process_metrics(MetricRegistry& registry);

}  // namespace lanyard::telemetry
