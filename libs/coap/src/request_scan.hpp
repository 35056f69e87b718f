#pragma once

#include <cstdint>
#include <optional>

#include "coap/message.hpp"

namespace lanyard::coap {

// What the endpoint must know of a request before the application sees it; one walk over the options.
struct RequestScan {
    // The first option that must be understood and is not, by number, length or repetition (RFC 7252 section 5.4).
    std::optional<OptionNumber> bad_option;
    // Asks for a forward proxy.
    bool proxy = false;
    // A Block option with a reserved size (RFC 7959 section 2.2).
    bool bad_block = false;
    std::optional<BlockOption> block1;
    std::optional<BlockOption> block2;
    std::optional<std::uint64_t> size1;
    // A hash of what makes two requests of one peer belong to the same transfer: method and options, but for the
    // block-wise ones, ETag, Observe and what is no cache key (RFC 9175 section 3.3); the payload of a FETCH too.
    std::uint64_t key = 0;
};
[[nodiscard]] RequestScan scan_request(const MessageView& request);

// Whether a response carries an option that must be understood and is not.
[[nodiscard]] bool has_bad_option(const MessageView& response);

}  // namespace lanyard::coap
