#include "value_stream.hpp"

#include <algorithm>

#include "client_config.hpp"
#include "identity/resource_name.hpp"
#include "lanyard/events/v1/telemetry.pb.h"
#include "rpc/status.hpp"
#include "runtime/clock.hpp"
#include "telemetry_read.hpp"

namespace lanyard::observation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 500;
constexpr std::chrono::milliseconds kPoll = 100ms;
constexpr std::chrono::milliseconds kBrokerWait = 5s;
// What a client that was cut has at least to take the status.
constexpr Duration kEndLimit = 5s;

// As Kafka's murmur2 partitioners: the hash without its sign.
std::int32_t partition_for(std::string_view key, std::size_t partitions) {
    return static_cast<std::int32_t>((murmur2(as_bytes(key)) & 0x7fffffffU) % partitions);
}

}  // namespace

ValueStream::ValueStream(const Config& config, const SipKey& key, StreamRequest request,
                         std::shared_ptr<StreamWriter> writer, Metrics& metrics)
    : config_(config), key_(key), request_(std::move(request)), writer_(std::move(writer)), metrics_(metrics) {
    device_key_ = request_.tenant + "/" + request_.endpoint;
}

void ValueStream::run() {
    const grpc::Status status = serve();
    consumer_.reset();
    writer_->finish(status);
    writer_->await_end(std::max(config_.streams.slow_limit, kEndLimit));
}

void ValueStream::on_error(const Error& error, const kafka::TopicOffset* partition) {
    if (partition != nullptr && error.code == Errc::not_found) gone_ = true;
}

// The position to begin at: the token's, else the end. A stream of one device reads its partition alone.
Result<void> ValueStream::seek() {
    const auto ends = consumer_->end_offsets(config_.kafka.telemetry_topic, kBrokerWait);
    if (!ends) return make_error(Errc::unavailable, "the telemetry topic: " + ends.error().message);
    std::vector<kafka::TopicOffset> offsets;
    for (kafka::TopicOffset at : *ends) {
        if (!request_.endpoint.empty() && at.partition != partition_for(device_key_, ends->size())) continue;
        if (request_.resume) {
            const auto found = request_.resume->find(at.partition);
            at.offset = found == request_.resume->end() ? kafka::kOffsetBeginning : found->second;
        }
        if (at.offset >= 0) position_[at.partition] = at.offset;
        offsets.push_back(std::move(at));
    }
    return consumer_->assign_kept(offsets, kBrokerWait);
}

grpc::Status ValueStream::serve() {
    grpc::Status out_of_range =
        rpc::to_status(make_error(Errc::too_large, "the resume token is older than the topic keeps; start without it"),
                       {.reason = "RESUME_TOKEN_TOO_OLD", .metadata = {}, .fields = {}, .retry_after = {}});
    kafka::ConsumerConfig consumer;
    consumer.client = client_config(config_, "lanyard-observation-stream");
    consumer.prefetch_max_kib = 2048;
    auto created = kafka::Consumer::create(consumer, *this);
    if (!created) return rpc::to_status(created.error());
    consumer_ = std::move(*created);
    if (auto sought = seek(); !sought) {
        return sought.error().code == Errc::not_found ? out_of_range : rpc::to_status(sought.error());
    }
    if (bookmark() == StreamWriter::Push::closed) return grpc::Status::OK;
    kafka::MessageBatch batch;
    SteadyTime next_bookmark = runtime::steady_now() + config_.streams.bookmark_interval;
    while (!writer_->closed()) {
        consumer_->poll(batch, kBatch, kPoll);
        if (gone_) return out_of_range;
        auto pushed = StreamWriter::Push::taken;
        for (std::size_t i = 0; i < batch.size() && pushed == StreamWriter::Push::taken; ++i) {
            const auto message = batch[i];
            position_[message.partition()] = message.offset() + 1;
            v1::StreamValuesResponse response;
            if (!wanted(message) || !fill(message, response)) continue;
            response.set_resume_token(seal_position(key_, request_.parent, position_));
            pushed = writer_->push(std::move(response), config_.streams.slow_limit);
            next_bookmark = runtime::steady_now() + config_.streams.bookmark_interval;
        }
        if (pushed == StreamWriter::Push::taken && runtime::steady_now() >= next_bookmark) {
            pushed = bookmark();
            next_bookmark = runtime::steady_now() + config_.streams.bookmark_interval;
        }
        if (pushed == StreamWriter::Push::slow) {
            metrics_.stream_cut();
            return rpc::to_status(make_error(Errc::resource_exhausted, "the client reads too slowly"),
                                  {.reason = "SLOW_CONSUMER", .metadata = {}, .fields = {}, .retry_after = {}});
        }
    }
    return grpc::Status::OK;
}

StreamWriter::Push ValueStream::bookmark() {
    v1::StreamValuesResponse response;
    response.set_resume_token(seal_position(key_, request_.parent, position_));
    return writer_->push(std::move(response), config_.streams.slow_limit);
}

// By key and header alone: most records of the topic are for somebody else.
bool ValueStream::wanted(const kafka::MessageView& message) const {
    const std::string_view key = message.key();
    if (request_.endpoint.empty()) {
        const std::string_view prefix = std::string_view(device_key_);  // "{tenant}/"
        if (!key.starts_with(prefix)) return false;
    } else if (key != device_key_) {
        return false;
    }
    if (request_.prefixes.empty()) return true;
    const auto path = lwm2m::Path::parse(message.header("ce_subject").value_or(""));
    return path && std::any_of(request_.prefixes.begin(), request_.prefixes.end(),
                               [&](const lwm2m::Path& prefix) { return prefix.contains(*path); });
}

bool ValueStream::fill(const kafka::MessageView& message, v1::StreamValuesResponse& out) const {
    events::v1::TelemetryRecord record;
    const auto type = message.header("content-type").value_or("application/json");
    if (!read_telemetry(message.value(), type, record)) return false;
    out.set_device(identity::DeviceName{record.tenant(), record.endpoint()}.resource_name());
    fill_latest(record, *out.mutable_value());
    out.set_event_id(record.event_id());
    return true;
}

}  // namespace lanyard::observation
