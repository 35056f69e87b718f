#include "coap/tx_params.hpp"

#include <cmath>

namespace lanyard::coap {
namespace {

Duration scaled(Duration base, double factor) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double, Duration::period>(base) * factor);
}

}  // namespace

Duration TxParams::max_transmit_span() const {
    return scaled(ack_timeout, (std::exp2(max_retransmit) - 1) * ack_random_factor);
}
Duration TxParams::max_transmit_wait() const {
    return scaled(ack_timeout, (std::exp2(max_retransmit + 1) - 1) * ack_random_factor);
}
Duration TxParams::max_rtt() const {
    return 2 * max_latency + processing_delay;
}
Duration TxParams::exchange_lifetime() const {
    return max_transmit_span() + 2 * max_latency + processing_delay;
}
Duration TxParams::non_lifetime() const {
    return max_transmit_span() + max_latency;
}

Duration TxParams::initial_timeout(std::uint32_t random) const {
    return scaled(ack_timeout, 1.0 + (ack_random_factor - 1.0) * (random / 4294967295.0));
}

Result<TxParams> validated(const TxParams& params) {
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    const auto fail = [](const char* what) { return make_error(Errc::invalid_argument, what); };
    if (params.ack_timeout < milliseconds(10) || params.ack_timeout > seconds(3600)) {
        return fail("ack_timeout: must be 10ms..3600s");
    }
    if (!(params.ack_random_factor >= 1.0 && params.ack_random_factor <= 4.0)) {
        return fail("ack_random_factor: must be 1..4");
    }
    if (params.max_retransmit > 10) return fail("max_retransmit: must be 0..10");
    if (params.max_latency < Duration::zero() || params.max_latency > seconds(3600)) {
        return fail("max_latency: must be 0s..3600s");
    }
    if (params.processing_delay < milliseconds(1) || params.processing_delay > seconds(3600)) {
        return fail("processing_delay: must be 1ms..3600s");
    }
    return params;
}

}  // namespace lanyard::coap
