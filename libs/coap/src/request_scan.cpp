#include "request_scan.hpp"

#include <cstring>

namespace lanyard::coap {
namespace {

std::uint64_t absorb(std::uint64_t hash, ByteView bytes) {
    hash = mix64(hash ^ bytes.size());
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        hash = mix64(hash ^ word);
        bytes = bytes.subspan(8);
    }
    std::uint64_t word = 0;
    if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
    return mix64(hash + word);
}

bool belongs_to_key(OptionNumber number) {
    switch (number) {
        case OptionNumber::block1:
        case OptionNumber::block2:
        case OptionNumber::etag:
        case OptionNumber::observe:
            return false;
        default:
            return !is_no_cache_key(number);
    }
}

bool is_bad(const OptionView& option, bool repeated) {
    if (!is_critical(option.number)) return false;
    return !is_recognized(option.number, option.value.size()) || (repeated && !is_repeatable(option.number));
}

}  // namespace

RequestScan scan_request(const MessageView& request) {
    RequestScan scan;
    scan.key = static_cast<std::uint64_t>(request.code());
    OptionNumber previous{};
    for (const OptionView& option : request.options()) {
        const bool repeated = option.number == previous;
        previous = option.number;
        if (is_bad(option, repeated)) {
            if (!scan.bad_option) scan.bad_option = option.number;
            continue;
        }
        if (belongs_to_key(option.number)) {
            scan.key = absorb(scan.key + (static_cast<std::uint64_t>(option.number) << 8), option.value);
        }
        switch (option.number) {
            case OptionNumber::block1:
                scan.block1 = decode_block(option.value);
                break;
            case OptionNumber::block2:
                scan.block2 = decode_block(option.value);
                break;
            case OptionNumber::size1:
                scan.size1 = decode_uint(option.value);
                break;
            case OptionNumber::proxy_uri:
            case OptionNumber::proxy_scheme:
                scan.proxy = true;
                break;
            default:
                continue;
        }
        scan.bad_block |= (option.number == OptionNumber::block1 && !scan.block1) ||
                          (option.number == OptionNumber::block2 && !scan.block2);
    }
    if (request.code() == Code::fetch && !scan.block1) scan.key = absorb(scan.key, request.payload());
    return scan;
}

bool has_bad_option(const MessageView& response) {
    OptionNumber previous{};
    for (const OptionView& option : response.options()) {
        if (is_bad(option, option.number == previous)) return true;
        previous = option.number;
    }
    return false;
}

}  // namespace lanyard::coap
