#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"

namespace lanyard::registry {

// Tokens that clients carry and must not make: a kind, the content and a 64-bit MAC, in URL-safe base64.
[[nodiscard]] std::string seal(const SipKey& key, char kind, ByteView content);
// invalid_argument: not of this kind, or changed.
[[nodiscard]] Result<Bytes> unseal(const SipKey& key, char kind, std::string_view token);

// What a page token or resume token is valid for: tenant and filter.
[[nodiscard]] std::uint64_t scope_of(std::string_view tenant, std::uint64_t filter_hash);

// Where the next page of ListDevices begins.
struct PagePosition {
    std::uint32_t partition = 0;
    std::uint32_t after = 0;  // sequence number
};
[[nodiscard]] std::string make_page_token(const SipKey& key, std::uint64_t scope, PagePosition position);
[[nodiscard]] Result<PagePosition> parse_page_token(const SipKey& key, std::uint64_t scope, std::string_view token);

// Offsets of the device-state topic, one for each partition from 0 on.
using ResumeOffsets = std::vector<std::int64_t>;
[[nodiscard]] std::string make_resume_token(const SipKey& key, std::uint64_t scope, const ResumeOffsets& offsets);
[[nodiscard]] Result<ResumeOffsets> parse_resume_token(const SipKey& key, std::uint64_t scope, std::string_view token);

}  // namespace lanyard::registry
