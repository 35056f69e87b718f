#pragma once

#include <string>

#include "simulator/simulate.hpp"

namespace lanyard::simulator {

// One line for people, without line break.
std::string progress_line(const Progress& progress);
// Several lines for people.
std::string summary_text(const SimulateSummary& summary);

// One JSON object, no line break. Latencies in microseconds, rates per second:
// {"load":"updates","seconds":10.0,"sent":…,"acknowledged":…,"per_second":…,"errors":{"4.04":1},"retransmitted":…,
//  "unanswered":…,"held_back":…,"latency_us":{"p50":…,"p90":…,"p99":…,"p999":…,"max":…},"loader_cpu_us_each":…}
std::string load_json(const LoadResult& result);
// {"seconds":…,"devices":…,"registered":…,"seconds_until_registered":…,"retransmitted":…,"answered":…,
//  "notifications":{"con":…,"non":…},"exchanges":{"update":{"sent":…,"acknowledged":…,"errors":{},"latency_us":{}}},
//  "load":{…}}
std::string summary_json(const SimulateSummary& summary);

}  // namespace lanyard::simulator
