#pragma once

#include <cstddef>
#include <utility>
#include <variant>

#include "lanyard/internal/v1/downlink.pb.h"
#include "lanyard/internal/v1/registration.pb.h"
#include "rpc/batch_stream.hpp"

// How the batches of the internal streams are filled. All users of these streams include this header, so that
// every process has one definition of each trait.
namespace lanyard::rpc {

template <>
struct BatchTraits<internal::v1::DownlinkBatch> {
    using Item = internal::v1::DownlinkRequest;
    static void add(internal::v1::DownlinkBatch& batch, Item&& item) { *batch.add_requests() = std::move(item); }
    static std::size_t size(const internal::v1::DownlinkBatch& batch) {
        return static_cast<std::size_t>(batch.requests_size());
    }
};

template <>
struct BatchTraits<internal::v1::DownlinkResultBatch> {
    using Item = internal::v1::DownlinkResult;
    static void add(internal::v1::DownlinkResultBatch& batch, Item&& item) { *batch.add_results() = std::move(item); }
    static std::size_t size(const internal::v1::DownlinkResultBatch& batch) {
        return static_cast<std::size_t>(batch.results_size());
    }
};

// The hello is an item like the commands: send it first on every stream.
template <>
struct BatchTraits<internal::v1::RegistrationBatch> {
    using Item = std::variant<internal::v1::RegistrationCommand, internal::v1::NodeHello>;
    static void add(internal::v1::RegistrationBatch& batch, Item&& item) {
        if (auto* hello = std::get_if<internal::v1::NodeHello>(&item)) {
            *batch.mutable_hello() = std::move(*hello);
        } else {
            *batch.add_commands() = std::move(std::get<internal::v1::RegistrationCommand>(item));
        }
    }
    static std::size_t size(const internal::v1::RegistrationBatch& batch) {
        return static_cast<std::size_t>(batch.commands_size()) + (batch.has_hello() ? 1 : 0);
    }
};

template <>
struct BatchTraits<internal::v1::RegistrationResultBatch> {
    using Item = std::variant<internal::v1::RegistrationResult, internal::v1::Fenced, internal::v1::NodeWelcome>;
    static void add(internal::v1::RegistrationResultBatch& batch, Item&& item) {
        if (auto* welcome = std::get_if<internal::v1::NodeWelcome>(&item)) {
            *batch.mutable_welcome() = std::move(*welcome);
        } else if (auto* fenced = std::get_if<internal::v1::Fenced>(&item)) {
            *batch.add_fenced() = std::move(*fenced);
        } else {
            *batch.add_results() = std::move(std::get<internal::v1::RegistrationResult>(item));
        }
    }
    static std::size_t size(const internal::v1::RegistrationResultBatch& batch) {
        return static_cast<std::size_t>(batch.results_size() + batch.fenced_size()) + (batch.has_welcome() ? 1 : 0);
    }
};

}  // namespace lanyard::rpc
