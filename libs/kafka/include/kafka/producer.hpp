#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "kafka/config.hpp"
#include "kafka/record.hpp"

namespace lanyard::kafka {

// What became of one record.
struct Delivery {
    std::uint64_t opaque = 0;     // Record::opaque
    bool delivered = false;       // acknowledged by all in-sync replicas
    Errc error = Errc::internal;  // when not: unavailable (broker gone), deadline_exceeded, too_large, not_found
                                  // (topic), permission_denied, cancelled (purged); it MAY still be in the log
    std::string_view reason;      // librdkafka's text for `error`; lives as long as the process
    std::int32_t partition = -1;
    std::int64_t offset = -1;
};

class DeliverySink {
  public:
    virtual ~DeliverySink() = default;
    virtual void on_delivered(const Delivery& delivery) = 0;
};

struct ProducerStats {
    std::uint64_t produced = 0;   // accepted by produce()
    std::uint64_t delivered = 0;  // acknowledged
    std::uint64_t failed = 0;     // reported with an error
    std::uint64_t rejected = 0;   // refused by produce()
    std::uint64_t queued = 0;     // accepted, not yet reported to the sink (produced - delivered - failed)
};

// A producer owned by one thread: that thread calls produce() and gets the delivery reports in poll(), so a
// shard needs no lock. librdkafka's own threads do the network work.
//
// Thread rule: produce(), available() and stats() from any thread; poll(), flush() and close() from one thread.
class Producer {
  public:
    // Checks the configuration (invalid_argument names the property); connects in the background.
    [[nodiscard]] static Result<std::unique_ptr<Producer>> create(const ProducerConfig& config);
    // Drops what was not delivered. Call flush() before.
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    // The handle of a topic, the same one for the same name. Does not ask the broker. Not on the hot path.
    [[nodiscard]] Result<Topic> topic(const std::string& name);

    // Queues one record; the outcome comes to the sink exactly once when this succeeds, never when it fails.
    // Errors: resource_exhausted (queue full), too_large (message.max.bytes), internal (producer is broken for
    // good, see fatal()). Does not block and allocates only inside librdkafka.
    [[nodiscard]] Result<void> produce(const Record& record);

    // Hands up to about `max` finished records to the sink (a report batch is not split) and returns how many.
    // Waits up to `timeout` for the first; never on an I/O thread with a timeout other than 0.
    std::size_t poll(DeliverySink& sink, std::size_t max = 10000, std::chrono::milliseconds timeout = {});

    // Readable (epoll, level) whenever poll() has something to do. Owned by the producer.
    [[nodiscard]] int event_fd() const;

    // Sends what lingers and polls until nothing is queued: true, or false when `timeout` passed. Blocks.
    bool flush(DeliverySink& sink, std::chrono::milliseconds timeout);
    // Fails all records that are queued or in flight; their reports (cancelled) come with the next poll().
    void purge();

    // False while no broker of the cluster can be reached (known within about two seconds, by poll()) and after
    // a fatal error. True before the first attempt has failed.
    [[nodiscard]] bool available() const;
    // Why it is not available, for a health page; empty when it is.
    [[nodiscard]] std::string unavailable_reason() const;
    // The idempotent producer gave up (librdkafka: "fatal error"): every produce() fails; make a new one.
    [[nodiscard]] bool fatal() const;
    [[nodiscard]] ProducerStats stats() const;

  private:
    class Impl;
    explicit Producer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::kafka
