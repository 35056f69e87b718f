#include <librdkafka/rdkafka.h>

#include "kafka/consumer.hpp"

namespace lanyard::kafka {
namespace {

std::string_view text_of(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

// The headers of a message, parsed by librdkafka at the first call; null if there are none.
rd_kafka_headers_t* headers_of(const rd_kafka_message_t* message) {
    rd_kafka_headers_t* headers = nullptr;
    rd_kafka_message_headers(message, &headers);
    return headers;
}

}  // namespace

std::string_view MessageView::topic() const {
    return rd_kafka_topic_name(message_->rkt);
}
std::int32_t MessageView::partition() const {
    return message_->partition;
}
std::int64_t MessageView::offset() const {
    return message_->offset;
}
std::string_view MessageView::key() const {
    return text_of(message_->key, message_->key_len);
}
ByteView MessageView::value() const {
    return as_bytes(text_of(message_->payload, message_->len));
}
bool MessageView::tombstone() const {
    return message_->payload == nullptr;
}

UnixMillis MessageView::timestamp_ms() const {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const auto at = rd_kafka_message_timestamp(message_, &type);
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : at;
}

std::optional<std::string_view> MessageView::header(const char* name) const {
    const void* value = nullptr;
    std::size_t size = 0;
    const auto* headers = headers_of(message_);
    if (headers == nullptr) return std::nullopt;
    if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    return text_of(value, size);
}

void MessageView::for_each_header(const std::function<void(const Header&)>& visit) const {
    const auto* headers = headers_of(message_);
    if (headers == nullptr) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        visit({name, text_of(value, size)});
    }
}

void MessageBatch::clear() {
    messages_.clear();
    for (rd_kafka_event_t* event : events_) rd_kafka_event_destroy(event);
    events_.clear();
}

}  // namespace lanyard::kafka
