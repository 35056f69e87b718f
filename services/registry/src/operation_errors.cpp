#include "operation_errors.hpp"

#include "base/bytes.hpp"
#include "coap/code.hpp"
#include "lwm2m_coap/response.hpp"
#include "rpc/status.hpp"

namespace lanyard::registry {
namespace {

using internal::v1::DownlinkResult;

constexpr std::chrono::milliseconds kRetryAfter{1000};
// When a device in queue mode comes back is its own affair; this meets the window in which it then listens.
constexpr std::chrono::milliseconds kRetrySleeping{60000};

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
    {DownlinkResult::OUTCOME_OVERLOADED, Errc::resource_exhausted, "TOO_MANY_REQUESTS", "overloaded"},
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

grpc::Status answered(const lwm2m_coap::Operation& operation, const DownlinkResult& result) {
    const auto code = static_cast<coap::Code>(result.coap_code());
    const auto checked = lwm2m_coap::check_response(operation, code, as_bytes(result.payload()));
    if (checked) return grpc::Status::OK;
    rpc::ErrorDetails details;
    details.reason = "DEVICE_ERROR";
    details.metadata["coap_code"] = coap_code_text(result.coap_code());
    return rpc::to_status(checked.error(), details);
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

grpc::Status status_of(const lwm2m_coap::Operation& operation, const DownlinkResult& result) {
    if (result.outcome() == DownlinkResult::OUTCOME_ANSWERED) return answered(operation, result);
    return status_unanswered(result);
}

grpc::Status status_unanswered(const DownlinkResult& result) {
    const OutcomeRow* row = row_of(result.outcome());
    if (!row) return rpc::to_status(make_error(Errc::internal, "a result without outcome"));
    rpc::ErrorDetails details;
    details.reason = row->reason;
    const bool retry = row->code == Errc::resource_exhausted || row->code == Errc::unavailable;
    if (retry) details.retry_after = kRetryAfter;
    if (result.outcome() == DownlinkResult::OUTCOME_SLEEPING) details.retry_after = kRetrySleeping;
    return rpc::to_status(make_error(row->code, result.message()), details);
}

}  // namespace lanyard::registry
