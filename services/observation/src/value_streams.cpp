#include "value_streams.hpp"

#include <algorithm>

#include "rpc/status.hpp"
#include "value_stream.hpp"

namespace lanyard::observation {
namespace {

// What clients get to take the end of their stream when the service stops.
constexpr Duration kFarewell = std::chrono::seconds(1);

}  // namespace

ValueStreams::ValueStreams(const Config& config, SipKey key, Metrics& metrics, const telemetry::Logger& log)
    : config_(config), key_(key), metrics_(metrics), log_(log) {}

ValueStreams::~ValueStreams() {
    stop(runtime::Deadline::in(Duration::zero()));
}

void ValueStreams::reap_locked() {
    streams_.remove_if([](const std::shared_ptr<Stream>& stream) { return stream->over.load(); });
    metrics_.streams(streams_.size());
}

void ValueStreams::serve(StreamRequest request, std::shared_ptr<StreamWriter> writer) {
    const std::lock_guard lock(mutex_);
    reap_locked();
    if (stopped_) return writer->finish(rpc::to_status(make_error(Errc::unavailable, "the service is stopping")));
    if (streams_.size() >= config_.streams.max) {
        return writer->finish(
            rpc::to_status(make_error(Errc::resource_exhausted, "too many StreamValues calls are open (streams.max)")));
    }
    auto stream = std::make_shared<Stream>();
    stream->writer = writer;
    streams_.push_back(stream);
    metrics_.streams(streams_.size());
    log_.info("value stream opened", {{"parent", request.parent}, {"open", streams_.size()}});
    // The thread must not own its Stream, whose end would wait for the thread.
    stream->thread = runtime::Thread("obs-stream", [this, request = std::move(request), writer, s = stream.get()] {
        ValueStream(config_, key_, request, writer, metrics_).run();
        s->over = true;
    });
}

void ValueStreams::stop(runtime::Deadline deadline) {
    std::list<std::shared_ptr<Stream>> streams;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        streams.swap(streams_);
    }
    for (const auto& stream : streams) {
        stream->writer->finish(rpc::to_status(make_error(Errc::unavailable, "the service is stopping")));
    }
    const auto polite = min(deadline, runtime::Deadline::in(kFarewell));
    for (const auto& stream : streams) {
        if (stream->thread.join(polite)) continue;
        stream->writer->hurry();
        (void)stream->thread.join(deadline);
    }
}

}  // namespace lanyard::observation
