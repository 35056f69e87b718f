#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lanyard::telemetry {

inline constexpr std::size_t kCacheLine = 64;

// A total that any thread may raise. One relaxed atomic add on a cache line of its own.
class alignas(kCacheLine) Counter {
  public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// A total that ONE thread raises (a shard) while any thread may read it: a plain add, no locked instruction.
// Not on a line of its own: put the counters of one shard side by side in a struct, then hand them to
// MetricRegistry::counter_callback, or take them from MetricRegistry::shard_counter.
class ShardCounter {
  public:
    void add(std::uint64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// A value that goes up and down. Any thread.
class alignas(kCacheLine) Gauge {
  public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    void add(double delta) { value_.fetch_add(delta, std::memory_order_relaxed); }
    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<double> value_{0};
};

// A distribution over fixed buckets. Any thread; observe() is a short search and two relaxed atomic adds.
class alignas(kCacheLine) Histogram {
  public:
    // `bounds`: inclusive upper bounds, strictly ascending; +Inf is implied.
    explicit Histogram(std::span<const double> bounds);

    void observe(double value);

    struct Snapshot {
        std::vector<std::uint64_t> counts;  // per bucket, not cumulative; the last one is +Inf
        double sum = 0;
    };
    [[nodiscard]] Snapshot snapshot() const;
    [[nodiscard]] std::span<const double> bounds() const { return bounds_; }

  private:
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

// 100 us to 60 s, for `_seconds` histograms of requests and waits.
std::span<const double> latency_buckets();

// Keys and values of labels: low cardinality, known at registration. Never an endpoint, token, path or address.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Owns the metrics of one process and writes them in the Prometheus text format 0.0.4.
//
// Names are `lanyard_<area>_<what>_<unit>`, counters end in `_total`, units are base units (`_seconds`, `_bytes`).
// Asking again for the same name and labels gives the same object, so two instances of a service in one process
// add up. A name asked for with another type is a bug of ours (assertion). Any thread; registration and expose()
// take a lock, the metrics themselves do not. References live as long as the registry.
class MetricRegistry {
  public:
    // Keeps a callback alive; destroy it before what the callback reads. Destruction waits for a running scrape.
    class [[nodiscard]] Callback {
      public:
        Callback() = default;
        Callback(Callback&& other) noexcept;
        Callback& operator=(Callback&& other) noexcept;
        ~Callback() { reset(); }
        void reset();

      private:
        friend class MetricRegistry;
        Callback(MetricRegistry* registry, std::uint64_t id) : registry_(registry), id_(id) {}
        MetricRegistry* registry_ = nullptr;
        std::uint64_t id_ = 0;
    };

    MetricRegistry();
    ~MetricRegistry();
    MetricRegistry(const MetricRegistry&) = delete;
    MetricRegistry& operator=(const MetricRegistry&) = delete;

    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    // A NEW cell at each call, for one thread; expose() shows the sum over the cells of the same name and labels.
    ShardCounter& shard_counter(std::string_view name, std::string_view help, Labels labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                         Labels labels = {});

    // Read at scrape time on the scraping thread: must be quick, thread-safe and not call back into the registry.
    // Values of the same name and labels add up.
    Callback counter_callback(std::string_view name, std::string_view help, Labels labels,
                              std::function<std::uint64_t()> read);
    // A counter of seconds, which are not whole.
    Callback seconds_callback(std::string_view name, std::string_view help, Labels labels,
                              std::function<double()> read);
    Callback gauge_callback(std::string_view name, std::string_view help, Labels labels, std::function<double()> read);

    // Prometheus text format 0.0.4, families sorted by name.
    [[nodiscard]] std::string expose() const;

  private:
    struct Impl;
    void remove(std::uint64_t callback_id);
    std::unique_ptr<Impl> impl_;
};

}  // namespace lanyard::telemetry
