#include "rpc/status.hpp"

#include <array>

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

namespace lanyard::rpc {
namespace {

struct Row {
    Errc errc;
    grpc::StatusCode code;
    const char* reason;
};
// The first row of a code is what from_grpc() gives.
constexpr std::array kTable{
    Row{Errc::invalid_argument, grpc::StatusCode::INVALID_ARGUMENT, "INVALID_ARGUMENT"},
    Row{Errc::unsupported, grpc::StatusCode::UNIMPLEMENTED, "UNSUPPORTED"},
    Row{Errc::not_found, grpc::StatusCode::NOT_FOUND, "NOT_FOUND"},
    Row{Errc::already_exists, grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS"},
    Row{Errc::permission_denied, grpc::StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED"},
    Row{Errc::failed_precondition, grpc::StatusCode::FAILED_PRECONDITION, "FAILED_PRECONDITION"},
    Row{Errc::aborted, grpc::StatusCode::ABORTED, "ABORTED"},
    Row{Errc::too_large, grpc::StatusCode::OUT_OF_RANGE, "TOO_LARGE"},
    Row{Errc::resource_exhausted, grpc::StatusCode::RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED"},
    Row{Errc::unavailable, grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE"},
    Row{Errc::deadline_exceeded, grpc::StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"},
    Row{Errc::cancelled, grpc::StatusCode::CANCELLED, "CANCELLED"},
    Row{Errc::internal, grpc::StatusCode::INTERNAL, "INTERNAL"},
    Row{Errc::permission_denied, grpc::StatusCode::UNAUTHENTICATED, ""},
};

const Row& row_of(Errc code) {
    for (const Row& row : kTable) {
        if (row.errc == code) return row;
    }
    return kTable[kTable.size() - 2];
}

void pack(google::rpc::Status& status, const google::protobuf::Message& detail) {
    status.add_details()->PackFrom(detail);
}

void unpack(const google::protobuf::Any& any, ErrorDetails& details) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
        details.reason = info.reason();
        details.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad)) {
        for (const auto& field : bad.field_violations()) details.fields.push_back({field.field(), field.description()});
    } else if (any.UnpackTo(&retry)) {
        const auto& delay = retry.retry_delay();
        details.retry_after = std::chrono::milliseconds(delay.seconds() * 1000 + delay.nanos() / 1000000);
    }
}

}  // namespace

grpc::StatusCode to_grpc(Errc code) {
    return row_of(code).code;
}

const char* code_name(grpc::StatusCode code) {
    static constexpr std::array kNames{
        "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
        "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED"};
    const auto index = static_cast<std::size_t>(code);
    return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

Errc from_grpc(grpc::StatusCode code) {
    for (const Row& row : kTable) {
        if (row.code == code) return row.errc;
    }
    return Errc::internal;
}

grpc::Status to_status(const Error& error, const ErrorDetails& details) {
    const Row& row = row_of(error.code);
    google::rpc::Status status;
    status.set_code(row.code);
    status.set_message(error.message);
    google::rpc::ErrorInfo info;
    info.set_reason(details.reason.empty() ? row.reason : details.reason);
    info.set_domain(std::string(kErrorDomain));
    info.mutable_metadata()->insert(details.metadata.begin(), details.metadata.end());
    pack(status, info);
    if (!details.fields.empty()) {
        google::rpc::BadRequest bad;
        for (const auto& field : details.fields) {
            auto* violation = bad.add_field_violations();
            violation->set_field(field.field);
            violation->set_description(field.description);
        }
        pack(status, bad);
    }
    if (details.retry_after) {
        google::rpc::RetryInfo retry;
        retry.mutable_retry_delay()->set_seconds(details.retry_after->count() / 1000);
        retry.mutable_retry_delay()->set_nanos(static_cast<int>(details.retry_after->count() % 1000) * 1000000);
        pack(status, retry);
    }
    return {row.code, error.message, status.SerializeAsString()};
}

grpc::Status invalid_field(std::string field, std::string description) {
    const Error error = make_error(Errc::invalid_argument, field + ": " + description);
    ErrorDetails details{.reason = "INVALID_FIELD"};
    details.fields.push_back({std::move(field), std::move(description)});
    return to_status(error, details);
}

Error to_error(const grpc::Status& status) {
    return make_error(from_grpc(status.error_code()), status.error_message());
}

std::optional<ErrorDetails> details_of(const grpc::Status& status) {
    google::rpc::Status parsed;
    if (status.error_details().empty() || !parsed.ParseFromString(status.error_details())) return std::nullopt;
    ErrorDetails details;
    for (const auto& any : parsed.details()) unpack(any, details);
    return details;
}

}  // namespace lanyard::rpc
