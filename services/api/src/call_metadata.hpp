#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <grpcpp/support/string_ref.h>

namespace lanyard::api {

// Headers that gRPC sets for each hop itself.
inline bool is_hop_header(std::string_view key) {
    return key.starts_with(':') || key.starts_with("grpc-") || key == "user-agent" || key == "content-type" ||
           key == "te" || key == "host";
}

// Gives `add` what one hop hands to the next.
inline void copy_metadata(const std::multimap<grpc::string_ref, grpc::string_ref>& from,
                          const std::function<void(std::string, std::string)>& add) {
    for (const auto& [key, value] : from) {
        const std::string_view name(key.data(), key.size());
        if (!is_hop_header(name)) add(std::string(name), std::string(value.data(), value.size()));
    }
}

}  // namespace lanyard::api
