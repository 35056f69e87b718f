#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "runtime/signals.hpp"

namespace lanyard::cli {

enum class Output { table, json };

// What every command that talks to the platform shares.
struct ClientOptions {
    std::string api = "127.0.0.1:7400";
    std::string tenant = "default";
    Output output = Output::table;
    double timeout_s = 30;
    runtime::StopSignals* signals = nullptr;  // of the program; set in main

    [[nodiscard]] std::string parent() const { return "tenants/" + tenant; }
    // A full resource name is taken as it is, anything else is an endpoint name.
    [[nodiscard]] std::string device(const std::string& endpoint) const {
        return endpoint.starts_with("tenants/") ? endpoint : parent() + "/devices/" + endpoint;
    }
    [[nodiscard]] std::shared_ptr<grpc::Channel> channel() const {
        return grpc::CreateChannel(api, grpc::InsecureChannelCredentials());
    }
    void apply(grpc::ClientContext& context) const {
        const auto timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1000));
        context.set_deadline(std::chrono::system_clock::now() + timeout);
    }
};

}  // namespace lanyard::cli
