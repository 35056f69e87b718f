#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lanyard::simulator {

// Durations in microseconds, kept with a relative error below 1/32 in fixed memory. Not thread-safe.
class Histogram {
  public:
    void record(std::uint32_t microseconds);
    void clear() { *this = Histogram(); }

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint32_t max() const { return max_; }
    // The duration that `share` (0 to 1) of all records do not exceed; 0 when there are none.
    [[nodiscard]] std::uint32_t quantile(double share) const;

  private:
    static constexpr unsigned kSubBits = 5;
    static constexpr std::size_t kBuckets = (33 - kSubBits) << kSubBits;

    static std::size_t bucket_of(std::uint32_t value);
    static std::uint32_t upper_bound(std::size_t bucket);

    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    std::uint32_t max_ = 0;
};

}  // namespace lanyard::simulator
