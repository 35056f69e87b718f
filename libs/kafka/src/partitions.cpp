#include "partitions.hpp"

namespace lanyard::kafka {

PartitionsHandle to_list(std::span<const TopicOffset> offsets) {
    PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
    for (const TopicOffset& from : offsets) {
        rd_kafka_topic_partition_list_add(list.get(), from.topic.c_str(), from.partition)->offset = from.offset;
    }
    return list;
}

std::vector<TopicOffset> from_list(const rd_kafka_topic_partition_list_t* list) {
    std::vector<TopicOffset> offsets;
    if (list == nullptr) return offsets;
    offsets.reserve(static_cast<std::size_t>(list->cnt));
    for (int i = 0; i < list->cnt; ++i) {
        const auto& from = list->elems[i];
        offsets.push_back({from.topic, from.partition, from.offset});
    }
    return offsets;
}

rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t* list) {
    for (int i = 0; i < list->cnt; ++i) {
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) return list->elems[i].err;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace lanyard::kafka
