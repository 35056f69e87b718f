#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/time.hpp"

namespace lanyard::registry {

// What ListDevices and WatchDevices put into their sealed tokens (identity/sealed_token.hpp, also for `scope`).

// Where the next page of ListDevices begins.
struct PagePosition {
    std::uint32_t partition = 0;
    std::uint32_t after = 0;  // sequence number
};
[[nodiscard]] std::string make_page_token(const SipKey& key, std::uint64_t scope, PagePosition position);
// An empty token is the beginning.
[[nodiscard]] Result<PagePosition> parse_page_token(const SipKey& key, std::uint64_t scope, std::string_view token);

// Where a watch goes on.
struct ResumePosition {
    UnixMillis seen_ms = 0;             // every change before this time was read
    std::vector<std::int64_t> offsets;  // of the device-state topic, one for each partition from 0 on
    bool operator==(const ResumePosition&) const = default;
};
[[nodiscard]] std::string make_resume_token(const SipKey& key, std::uint64_t scope, const ResumePosition& position);
[[nodiscard]] Result<ResumePosition> parse_resume_token(const SipKey& key, std::uint64_t scope, std::string_view token);

}  // namespace lanyard::registry
