#include "telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <mutex>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/assert.hpp"

namespace lanyard::telemetry {
namespace {

using LabelSet = std::vector<std::pair<std::string, std::string>>;

LabelSet sorted(Labels labels) {
    LabelSet set;
    for (const auto& [key, value] : labels) set.emplace_back(key, value);
    std::sort(set.begin(), set.end());
    return set;
}

// Prometheus data model: [a-zA-Z_:][a-zA-Z0-9_:]*; the colon is for recording rules only.
bool valid_name(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// Cells of different shards must not share a cache line.
struct alignas(kCacheLine) ShardCell {
    ShardCounter counter;
};

struct CounterCallback {
    std::uint64_t id;
    std::function<std::uint64_t()> read;
};
struct RealCallback {
    std::uint64_t id;
    std::function<double()> read;
};

// All that adds up to one line (or one histogram) of the output. Deques keep addresses stable.
struct Series {
    std::deque<Counter> counters;
    std::deque<ShardCell> shard_counters;
    std::deque<Gauge> gauges;
    std::deque<Histogram> histograms;
    std::vector<CounterCallback> counter_callbacks;
    std::vector<RealCallback> real_callbacks;  // gauges, and counters of seconds

    // A series that only ever had callbacks disappears with the last one.
    [[nodiscard]] bool empty() const {
        return counters.empty() && shard_counters.empty() && gauges.empty() && histograms.empty() &&
               counter_callbacks.empty() && real_callbacks.empty();
    }
};

struct Family {
    prometheus::MetricType type;
    std::string help;
    std::map<LabelSet, Series> series;
};

double counter_value(const Series& series) {
    std::uint64_t total = 0;
    for (const auto& counter : series.counters) total += counter.value();
    for (const auto& cell : series.shard_counters) total += cell.counter.value();
    for (const auto& callback : series.counter_callbacks) total += callback.read();
    double seconds = 0;
    for (const auto& callback : series.real_callbacks) seconds += callback.read();
    return static_cast<double>(total) + seconds;
}

double gauge_value(const Series& series) {
    double total = 0;
    for (const auto& gauge : series.gauges) total += gauge.value();
    for (const auto& callback : series.real_callbacks) total += callback.read();
    return total;
}

void collect_histogram(const Histogram& histogram, prometheus::ClientMetric::Histogram& out) {
    const auto snapshot = histogram.snapshot();
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
        cumulative += snapshot.counts[i];
        const bool last = i == histogram.bounds().size();
        out.bucket.push_back({cumulative, last ? std::numeric_limits<double>::infinity() : histogram.bounds()[i]});
    }
    // The count is the sum of the buckets, so that a scrape in the middle of observe() is consistent.
    out.sample_count = cumulative;
    out.sample_sum = snapshot.sum;
}

prometheus::MetricFamily collect(const std::string& name, const Family& family) {
    prometheus::MetricFamily out{name, family.help, family.type, {}};
    for (const auto& [labels, series] : family.series) {
        prometheus::ClientMetric metric;
        for (const auto& [key, value] : labels) metric.label.push_back({key, value});
        switch (family.type) {
            case prometheus::MetricType::Counter:
                metric.counter.value = counter_value(series);
                break;
            case prometheus::MetricType::Gauge:
                metric.gauge.value = gauge_value(series);
                break;
            default:
                collect_histogram(series.histograms.front(), metric.histogram);
                break;
        }
        out.metric.push_back(std::move(metric));
    }
    return out;
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {
    LANYARD_ASSERT(std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>()) == bounds_.end());
}

void Histogram::observe(double value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot out;
    for (const auto& count : counts_) out.counts.push_back(count.load(std::memory_order_relaxed));
    out.sum = sum_.load(std::memory_order_relaxed);
    return out;
}

std::span<const double> latency_buckets() {
    static constexpr std::array<double, 18> kBounds{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2,
                                                    0.1,  0.25,   0.5,  1,    2.5,    5,    10,   30,     60};
    return kBounds;
}

struct MetricRegistry::Impl {
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;
    std::uint64_t last_callback = 0;

    Series& series(std::string_view name, std::string_view help, prometheus::MetricType type, Labels labels) {
        LANYARD_ASSERT(valid_name(name));
        auto found = families.find(name);
        if (found == families.end()) {
            found = families.emplace(std::string(name), Family{type, std::string(help), {}}).first;
        }
        LANYARD_ASSERT(found->second.type == type);
        return found->second.series[sorted(labels)];
    }
};

MetricRegistry::MetricRegistry() : impl_(std::make_unique<Impl>()) {}
MetricRegistry::~MetricRegistry() = default;

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(impl_->mutex);
    auto& cells = impl_->series(name, help, prometheus::MetricType::Counter, labels).counters;
    return cells.empty() ? cells.emplace_back() : cells.front();
}

ShardCounter& MetricRegistry::shard_counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(impl_->mutex);
    return impl_->series(name, help, prometheus::MetricType::Counter, labels).shard_counters.emplace_back().counter;
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(impl_->mutex);
    auto& cells = impl_->series(name, help, prometheus::MetricType::Gauge, labels).gauges;
    return cells.empty() ? cells.emplace_back() : cells.front();
}

Histogram& MetricRegistry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                     Labels labels) {
    const std::lock_guard lock(impl_->mutex);
    auto& cells = impl_->series(name, help, prometheus::MetricType::Histogram, labels).histograms;
    return cells.empty() ? cells.emplace_back(bounds) : cells.front();
}

MetricRegistry::Callback MetricRegistry::counter_callback(std::string_view name, std::string_view help, Labels labels,
                                                          std::function<std::uint64_t()> read) {
    const std::lock_guard lock(impl_->mutex);
    const std::uint64_t id = ++impl_->last_callback;
    impl_->series(name, help, prometheus::MetricType::Counter, labels)
        .counter_callbacks.push_back({id, std::move(read)});
    return {this, id};
}

MetricRegistry::Callback MetricRegistry::seconds_callback(std::string_view name, std::string_view help, Labels labels,
                                                          std::function<double()> read) {
    const std::lock_guard lock(impl_->mutex);
    const std::uint64_t id = ++impl_->last_callback;
    impl_->series(name, help, prometheus::MetricType::Counter, labels).real_callbacks.push_back({id, std::move(read)});
    return {this, id};
}

MetricRegistry::Callback MetricRegistry::gauge_callback(std::string_view name, std::string_view help, Labels labels,
                                                        std::function<double()> read) {
    const std::lock_guard lock(impl_->mutex);
    const std::uint64_t id = ++impl_->last_callback;
    impl_->series(name, help, prometheus::MetricType::Gauge, labels).real_callbacks.push_back({id, std::move(read)});
    return {this, id};
}

void MetricRegistry::remove(std::uint64_t callback_id) {
    const std::lock_guard lock(impl_->mutex);
    const auto is_it = [callback_id](const auto& callback) { return callback.id == callback_id; };
    for (auto& [name, family] : impl_->families) {
        for (auto& [labels, series] : family.series) {
            std::erase_if(series.counter_callbacks, is_it);
            std::erase_if(series.real_callbacks, is_it);
        }
        std::erase_if(family.series, [](const auto& entry) { return entry.second.empty(); });
    }
}

std::string MetricRegistry::expose() const {
    std::vector<prometheus::MetricFamily> families;
    {
        const std::lock_guard lock(impl_->mutex);
        for (const auto& [name, family] : impl_->families) {
            if (!family.series.empty()) families.push_back(collect(name, family));
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

MetricRegistry::Callback::Callback(Callback&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), id_(other.id_) {}

MetricRegistry::Callback& MetricRegistry::Callback::operator=(Callback&& other) noexcept {
    if (this != &other) {
        reset();
        registry_ = std::exchange(other.registry_, nullptr);
        id_ = other.id_;
    }
    return *this;
}

void MetricRegistry::Callback::reset() {
    if (auto* registry = std::exchange(registry_, nullptr)) registry->remove(id_);
}

}  // namespace lanyard::telemetry
