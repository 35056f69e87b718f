#include "simulator/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace lanyard::simulator {

// Values below 2^5 have a bucket each; above, every power of two is cut into 2^5 equal buckets.
std::size_t Histogram::bucket_of(std::uint32_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kSubBits) return value;
    const unsigned shift = width - kSubBits - 1;
    return ((std::size_t{shift} + 1) << kSubBits) + ((value >> shift) & ((1U << kSubBits) - 1));
}

std::uint32_t Histogram::upper_bound(std::size_t bucket) {
    const std::size_t group = bucket >> kSubBits;
    const std::uint64_t low = bucket & ((1U << kSubBits) - 1);
    if (group == 0) return static_cast<std::uint32_t>(low);
    const std::uint64_t first = (low + (1U << kSubBits)) << (group - 1);
    return static_cast<std::uint32_t>(first + (std::uint64_t{1} << (group - 1)) - 1);
}

void Histogram::record(std::uint32_t microseconds) {
    ++buckets_[bucket_of(microseconds)];
    ++count_;
    max_ = std::max(max_, microseconds);
}

std::uint32_t Histogram::quantile(double share) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(upper_bound(bucket), max_);
    }
    return max_;
}

}  // namespace lanyard::simulator
