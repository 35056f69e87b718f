#include "operation_errors.hpp"

#include "base/bytes.hpp"
#include "coap/code.hpp"
#include "lwm2m_coap/error_map.hpp"
#include "rpc/status.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::DownlinkResult;

constexpr std::chrono::milliseconds kRetryAfter{1000};

struct OutcomeRow {
    DownlinkResult::Outcome outcome;
    Errc code;
    const char* reason;
    const char* label;
};
constexpr OutcomeRow kOutcomes[] = {
    {DownlinkResult::OUTCOME_UNKNOWN_DEVICE, Errc::not_found, "DEVICE_NOT_FOUND", "unknown_device"},
    {DownlinkResult::OUTCOME_OFFLINE, Errc::failed_precondition, "DEVICE_OFFLINE", "offline"},
    {DownlinkResult::OUTCOME_SLEEPING, Errc::failed_precondition, "DEVICE_SLEEPING", "sleeping"},
    {DownlinkResult::OUTCOME_QUEUE_FULL, Errc::resource_exhausted, "DEVICE_QUEUE_FULL", "queue_full"},
    {DownlinkResult::OUTCOME_TIMEOUT, Errc::deadline_exceeded, "DEVICE_TIMEOUT", "timeout"},
    {DownlinkResult::OUTCOME_RESET, Errc::aborted, "DEVICE_RESET", "reset"},
    {DownlinkResult::OUTCOME_UNAVAILABLE, Errc::unavailable, "INGRESS_UNAVAILABLE", "unavailable"},
    {DownlinkResult::OUTCOME_NOT_OWNER, Errc::unavailable, "INGRESS_UNAVAILABLE", "unavailable"},
    {DownlinkResult::OUTCOME_INVALID, Errc::internal, "DOWNLINK_INVALID", "invalid"},
};

const OutcomeRow* row_of(DownlinkResult::Outcome outcome) {
    for (const OutcomeRow& row : kOutcomes) {
        if (row.outcome == outcome) return &row;
    }
    return nullptr;
}

grpc::Status answered(const DownlinkResult& result) {
    const auto code = static_cast<coap::Code>(result.coap_code());
    if (coap::is_success(code)) return grpc::Status::OK;
    const std::string text = coap_code_text(result.coap_code());
    Errc error = lwm2m_coap::to_errc(code);
    if (code == coap::Code::internal_server_error) error = Errc::internal;
    rpc::ErrorDetails details;
    details.reason = "DEVICE_ERROR";
    details.metadata["coap_code"] = text;
    std::string message = "the device answered " + text;
    if (!result.payload().empty()) message += ": " + result.payload().substr(0, 128);
    return rpc::to_status(make_error(error, message), details);
}

}  // namespace

std::string coap_code_text(std::uint32_t code) {
    return coap::to_string(static_cast<coap::Code>(code));
}

std::string result_label(const DownlinkResult& result) {
    if (result.outcome() == DownlinkResult::OUTCOME_ANSWERED) {
        const auto code = static_cast<coap::Code>(result.coap_code());
        return coap::is_success(code) ? "ok" : coap_code_text(result.coap_code());
    }
    const OutcomeRow* row = row_of(result.outcome());
    return row ? row->label : "unset";
}

grpc::Status status_of(const DownlinkResult& result) {
    if (result.outcome() == DownlinkResult::OUTCOME_ANSWERED) return answered(result);
    const OutcomeRow* row = row_of(result.outcome());
    if (!row) return rpc::to_status(make_error(Errc::internal, "a result without outcome"));
    rpc::ErrorDetails details;
    details.reason = row->reason;
    const bool retry = row->code == Errc::resource_exhausted || row->code == Errc::unavailable;
    if (retry) details.retry_after = kRetryAfter;
    return rpc::to_status(make_error(row->code, result.message()), details);
}

}  // namespace lanyard::registry
