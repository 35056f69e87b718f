#pragma once

#include <span>
#include <vector>

#include "handles.hpp"
#include "kafka/record.hpp"

namespace lanyard::kafka {

[[nodiscard]] PartitionsHandle to_list(std::span<const TopicOffset> offsets);
[[nodiscard]] std::vector<TopicOffset> from_list(const rd_kafka_topic_partition_list_t* list);

// The first per-partition error in a list, if any.
[[nodiscard]] rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t* list);

}  // namespace lanyard::kafka
