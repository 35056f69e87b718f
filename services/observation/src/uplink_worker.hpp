#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "freshness.hpp"
#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"
#include "latest_buffer.hpp"
#include "metrics.hpp"
#include "observation/config.hpp"
#include "observation/store.hpp"
#include "partitions.hpp"
#include "runtime/deadline.hpp"
#include "runtime/health.hpp"
#include "runtime/mailbox.hpp"
#include "runtime/poller.hpp"
#include "runtime/thread.hpp"
#include "spec_table.hpp"
#include "telemetry/log.hpp"
#include "telemetry/rate_limit.hpp"
#include "telemetry_emitter.hpp"
#include "ticket_box.hpp"

namespace lanyard::observation {

// An observation that its device ended by an error notification.
struct EndedObservation {
    DeviceNumber device;
    std::string tenant;
    std::string endpoint;
    SpecId spec = 0;
    std::uint32_t generation = 0;
    std::string reason;
    UnixMillis received_ms = 0;
};

// The first value of an observation, out of the answer to Observe, as the uplink record of a notification.
struct InitialValue {
    std::shared_ptr<const events::v1::UplinkRecord> record;
    // True when the broker has its telemetry (or dead letter); called once, on the worker's thread.
    std::function<void(bool delivered)> done;
};

// What the worker tells others. Called on its thread; must not block.
struct UplinkEvents {
    // `kept` is called once, on any thread, when the store has it: then the record counts as done.
    std::function<void(EndedObservation, std::function<void()> kept)> ended;
    // A notification names a spec that this process does not know: load them from the store.
    std::function<void()> specs_wanted;
};

// The thread that turns uplink into telemetry: reads in batches, decodes, produces, and commits an offset only when
// everything that came of the records before it is acknowledged. When a delivery fails it goes back to the oldest
// record that is not done and repeats it; the event ids are the same. Latest values are written behind.
class UplinkWorker final : private kafka::ConsumerEvents, private kafka::DeliverySink, private Output {
  public:
    struct Shared {
        const Config& config;
        const SpecTable& specs;
        ObservationStore& store;
        Metrics& metrics;
        const telemetry::Logger& log;
        runtime::HealthBoard::Dependency kafka;
    };
    UplinkWorker(Shared shared, UplinkEvents events);
    ~UplinkWorker() override;

    // Makes the Kafka clients; the thread reads once begin() was called.
    [[nodiscard]] Result<void> start();
    // The topics are there.
    void begin() { begun_ = true; }
    // Any thread. False when too many wait; `done` is then not called.
    [[nodiscard]] bool submit(InitialValue value);
    // Specs were loaded: looks at what waited for them.
    void specs_changed() { wakeup_.notify(); }
    // Stops reading, waits for what is in flight, commits, writes latest values. False when time was too short.
    bool stop(runtime::Deadline deadline);

  private:
    struct Held {
        std::shared_ptr<const events::v1::UplinkRecord> record;
        std::string bytes;
        std::string key;
        std::int32_t partition = 0;
        std::int64_t offset = 0;
        UnixMillis timestamp_ms = 0;
        Partitions::Ticket ticket = 0;
        std::uint64_t loads = 0;
    };
    struct PendingInitial {
        InitialValue value;
        std::size_t pending = 1;
        bool failed = false;
    };

    void on_assigned(std::span<const kafka::TopicOffset> partitions) override;
    void on_revoked(std::span<const kafka::TopicOffset> partitions) override;
    void on_lost(std::span<const kafka::TopicOffset> partitions) override;
    void on_committed(std::span<const kafka::TopicOffset> offsets, const Result<void>& result) override;
    void on_error(const Error& error, const kafka::TopicOffset* partition) override;
    void on_delivered(const kafka::Delivery& delivery) override;
    Result<void> produce(Target target, const kafka::Record& record) override;

    void run();
    void finish();
    [[nodiscard]] Result<void> make_producer();
    [[nodiscard]] bool can_read() const;
    void read();
    void read_batch(std::size_t max, bool discard);
    void process(const kafka::MessageView& message);
    // False: held, the spec is not known yet.
    bool process(const events::v1::UplinkRecord& record, const Origin& origin, Partitions::Ticket ticket);
    void store_values(const events::v1::UplinkRecord& record, lwm2m::Records& records);
    void reject(const events::v1::UplinkRecord* record, const Origin& origin, const Rejection& why,
                Partitions::Ticket ticket);
    void hold(const events::v1::UplinkRecord& record, const Origin& origin, Partitions::Ticket ticket);
    void retry_held();
    void end(const events::v1::UplinkRecord& record, std::string reason, Partitions::Ticket ticket);
    void take_kept();
    void take_initial();
    void close_initial(std::uint64_t id);
    void rewind();
    void settle(std::span<const kafka::TopicOffset> partitions, runtime::Deadline deadline);
    void periodic(SteadyTime now);
    void commit();
    void flush_latest(std::size_t max);
    void measure_lag();
    void report_health();

    Shared shared_;
    UplinkEvents events_;
    const Config& config_;
    std::unique_ptr<kafka::Producer> producer_;
    std::unique_ptr<kafka::Consumer> consumer_;
    kafka::Topic telemetry_topic_;
    kafka::Topic dead_letter_topic_;
    kafka::MessageBatch batch_;
    Partitions partitions_;
    Freshness freshness_;
    LatestBuffer latest_;
    TelemetryEmitter emitter_;
    telemetry::RateLimit log_limit_{std::chrono::seconds(10)};
    std::shared_ptr<events::v1::UplinkRecord> record_;
    std::deque<Held> held_;
    std::unordered_map<std::uint64_t, PendingInitial> initial_;
    std::uint64_t next_initial_ = 0;
    // One write of latest values at a time; `failed` ones are written again. Shared with the store's callback.
    struct LatestWrite {
        std::vector<ObservationStore::LatestUpdate> updates;
        enum class State : std::uint8_t { idle, busy, failed };
        std::atomic<State> state{State::idle};
        runtime::Wakeup changed;
    };
    std::shared_ptr<LatestWrite> write_;
    // Ended observations that the store has; shared with the callbacks, which may come after the worker is gone.
    std::shared_ptr<TicketBox> kept_;
    std::size_t keeping_ = 0;
    std::vector<Partitions::Ticket> kept_tickets_;

    runtime::Wakeup wakeup_;
    runtime::Mailbox<InitialValue> mailbox_{16384, wakeup_};
    std::vector<InitialValue> taken_;
    runtime::Thread thread_;
    std::atomic<bool> begun_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<bool> stopped_clean_{false};
    runtime::Deadline stop_deadline_ = runtime::Deadline::never();
    bool subscribed_ = false;
    bool rewind_ = false;
    SteadyTime next_commit_;
    SteadyTime next_latest_;
    SteadyTime next_lag_;
    std::uint64_t held_loads_ = 0;
};

}  // namespace lanyard::observation
