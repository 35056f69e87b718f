#include "record_counter.hpp"

#include <chrono>
#include <utility>

namespace lanyard::cli {

using namespace std::chrono_literals;

Result<std::unique_ptr<RecordCounter>> RecordCounter::start(const std::string& bootstrap, const std::string& topic) {
    std::unique_ptr<RecordCounter> counter(new RecordCounter);
    kafka::ConsumerConfig config;
    config.client.bootstrap = bootstrap;
    config.client.client_id = "lanyard-dev-counter";
    auto consumer = kafka::Consumer::create(config, *counter);
    if (!consumer) return consumer.error();
    counter->consumer_ = std::move(*consumer);
    auto ends = counter->consumer_->end_offsets(topic, 5s);
    if (!ends) return ends.error();
    if (auto assigned = counter->consumer_->assign(*ends); !assigned) return assigned.error();
    counter->thread_ = runtime::Thread("counter", [raw = counter.get()] { raw->read(); });
    return counter;
}

RecordCounter::~RecordCounter() {
    stopping_ = true;
    if (thread_.joinable()) (void)thread_.join(runtime::Deadline::never());
}

std::string RecordCounter::last() const {
    const std::lock_guard lock(mutex_);
    return last_;
}

void RecordCounter::read() {
    kafka::MessageBatch batch;
    while (!stopping_) {
        if (consumer_->poll(batch, 1000, 100ms) == 0) continue;
        count_.fetch_add(batch.size(), std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        last_ = to_string(batch[batch.size() - 1].value());
    }
}

}  // namespace lanyard::cli
