#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"

namespace lanyard::identity {

// Tokens that clients carry and must not make: page tokens, resume tokens. Integrity only, the content can be read.
// Layout: kind (1 byte), scope (8), content, SipHash-2-4 over all of it (8); in URL-safe base64.

// What each kind is for, so that a token of one call is none of another.
enum class TokenKind : std::uint8_t {
    device_page = 'p',       // ListDevices
    device_watch = 'r',      // WatchDevices
    observation_page = 'o',  // ListObservations
    template_page = 't',     // ListObservationTemplates
    value_stream = 'v',      // StreamValues
};

// What a token is valid for: a parent, and the filter or query that it continues (0: none).
[[nodiscard]] std::uint64_t token_scope(std::string_view parent, std::uint64_t query_hash = 0);

[[nodiscard]] std::string seal(const SipKey& key, TokenKind kind, std::uint64_t scope, ByteView content);
// The content. invalid_argument, with what to tell the client: not of this kind and key, or of another scope.
[[nodiscard]] Result<Bytes> unseal(const SipKey& key, TokenKind kind, std::uint64_t scope, std::string_view token);

}  // namespace lanyard::identity
