#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/repeated_ptr_field.h>

#include "grpc_requests.hpp"
#include "identity/sealed_token.hpp"

namespace lanyard::observation {

inline constexpr std::int32_t kPageDefault = 50;
inline constexpr std::int32_t kPageMax = 1000;

// One page of a list that is ordered by name (AIP-158).
struct Page {
    std::size_t size = kPageDefault;
    std::string after;  // the last id of the former page; empty: from the beginning
};

// page_size and page_token of a request for the children of `parent`.
[[nodiscard]] Checked<Page> check_page(const SipKey& key, identity::TokenKind kind, std::string_view parent,
                                       std::int32_t size, std::string_view token);
// The token of the page that follows this id.
[[nodiscard]] std::string page_token(const SipKey& key, identity::TokenKind kind, std::string_view parent,
                                     std::string_view last_id);

// What stands behind the last slash of a resource name.
[[nodiscard]] inline std::string_view id_of(std::string_view name) {
    return name.substr(name.rfind('/') + 1);
}

// Moves one page of `all` (children of one parent, in any order) to `out`. Gives the id it ends with, or nothing when
// no other page follows.
template <class Message>
std::string take_page(std::vector<Message> all, const Page& page, google::protobuf::RepeatedPtrField<Message>& out) {
    const auto by_id = [](const Message& a, const Message& b) { return id_of(a.name()) < id_of(b.name()); };
    std::sort(all.begin(), all.end(), by_id);
    auto at = std::find_if(all.begin(), all.end(), [&](const Message& m) { return id_of(m.name()) > page.after; });
    for (std::size_t count = 0; count < page.size && at != all.end(); ++count) *out.Add() = std::move(*at++);
    return at == all.end() ? std::string() : std::string(id_of(out.rbegin()->name()));
}

}  // namespace lanyard::observation
