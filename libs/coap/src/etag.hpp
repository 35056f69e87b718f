#pragma once

#include "base/hash.hpp"
#include "coap/options.hpp"
#include "coap/token.hpp"

namespace lanyard::coap {

// Adds an ETag made of the body unless there is one: the same body has the same ETag in every process.
inline void add_etag(Options& options, ByteView body) {
    if (options.contains(OptionNumber::etag)) return;
    options.add(OptionNumber::etag, Token::from_u64(siphash24(SipKey{}, body)).bytes());
}

}  // namespace lanyard::coap
