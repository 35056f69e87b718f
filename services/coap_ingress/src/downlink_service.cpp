#include "downlink_service.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace lanyard::coap_ingress {
namespace {

using Result = internal::v1::DownlinkResult;
using Request = internal::v1::DownlinkRequest;

bool is_method(std::uint32_t method) {
    return (method >= 1 && method <= 5) || method == 7;
}

Result::Outcome outcome_of(coap::FailureReason reason) {
    switch (reason) {
        case coap::FailureReason::timeout:
        case coap::FailureReason::unacknowledged:
            return Result::OUTCOME_TIMEOUT;
        case coap::FailureReason::reset:
            return Result::OUTCOME_RESET;
        case coap::FailureReason::cancelled:
            return Result::OUTCOME_UNAVAILABLE;
        case coap::FailureReason::too_large:
        case coap::FailureReason::block_transfer:
            break;
    }
    return Result::OUTCOME_INVALID;
}

Result::Outcome outcome_of(coap::SendStatus status) {
    switch (status) {
        case coap::SendStatus::queue_full:
            return Result::OUTCOME_QUEUE_FULL;
        case coap::SendStatus::deadline_passed:
            return Result::OUTCOME_TIMEOUT;
        case coap::SendStatus::overloaded:
            return Result::OUTCOME_OVERLOADED;
        case coap::SendStatus::duplicate_cookie:
            return Result::OUTCOME_UNAVAILABLE;
        default:
            return Result::OUTCOME_INVALID;
    }
}

std::string location_of(const coap::MessageView& message) {
    std::string location;
    for (const coap::OptionView& option : message.options()) {
        if (option.number == coap::OptionNumber::location_path) location.append("/").append(as_text(option.value));
    }
    return is_utf8(location) ? location : std::string();  // a string field takes nothing else
}

std::string_view describe(Result::Outcome outcome) {
    switch (outcome) {
        case Result::OUTCOME_NOT_OWNER:
            return "not the owner of this session";
        case Result::OUTCOME_OFFLINE:
            return "not registered in that generation";
        case Result::OUTCOME_SLEEPING:
            return "in queue mode and past its awake window";
        case Result::OUTCOME_QUEUE_FULL:
            return "too many requests wait for this device";
        default:
            return "request refused";
    }
}

}  // namespace

DownlinkService::DownlinkService(ShardContext& context, RegistryCommands& commands, UplinkService& uplink)
    : context_(context), uplink_(uplink), specs_(commands) {}

std::optional<Result::Outcome> DownlinkService::outcome_before(const Device& device, const Request& request) const {
    const bool same_node = request.has_owner() && request.owner().node() == context_.setup.registry.node();
    if (same_node && request.owner().epoch() > device.epoch) return Result::OUTCOME_NOT_OWNER;
    if (request.generation() > device.generation) return Result::OUTCOME_NOT_OWNER;
    if (request.generation() != 0 && request.generation() < device.generation) return Result::OUTCOME_OFFLINE;
    if (device.peer.listener == kNoListener) return Result::OUTCOME_SLEEPING;
    const auto silent = std::chrono::seconds(context_.seconds() - device.heard);
    if (device.queue_mode && silent > context_.config.downlink.awake_window) return Result::OUTCOME_SLEEPING;
    return std::nullopt;
}

bool DownlinkService::on_call(DownlinkCall& call) {
    const Request& request = call.request;
    Device* device = context_.table.find(request.device_number());
    if (device == nullptr) return false;
    if (const auto outcome = outcome_before(*device, request)) return refuse(call, *outcome, describe(*outcome)), true;
    if (context_.draining) return refuse_unavailable(call, "this ingress is going away"), true;
    if (pending_.size() >= context_.config.downlink.pending_max) {
        return refuse(call, Result::OUTCOME_OVERLOADED, "too many requests in this shard"), true;
    }
    const auto message = make_request(*device, call);
    if (!message) return refuse(call, Result::OUTCOME_INVALID, "method, path or token is not valid"), true;
    const std::uint64_t cookie = next_cookie_++;
    const auto status = context_.endpoint->send_request(device->peer, *message, cookie, context_.now);
    if (status != coap::SendStatus::ok) return refuse(call, outcome_of(status), coap::to_string(status)), true;
    specs_.learn(request.request());
    pending_.try_emplace(cookie, Pending{device->number, request.id(), std::move(call.reply), nullptr,
                                         request.request().method(), context_.now.steady});
    return true;
}

std::optional<coap::Request> DownlinkService::make_request(const Device& device, const DownlinkCall& call) const {
    const internal::v1::CoapRequest& from = call.request.request();
    if (!is_method(from.method()) || from.token().size() > coap::Token::kMaxSize) return std::nullopt;
    if (!from.path().starts_with('/')) return std::nullopt;
    coap::Request request;
    request.method = static_cast<coap::Code>(from.method());
    request.options.path(context_.table.root_path(device)).path(from.path());
    for (const std::string& query : from.queries()) request.options.query(query);
    if (from.has_content_format()) request.options.content_format(static_cast<std::uint16_t>(from.content_format()));
    if (from.has_accept()) request.options.accept(static_cast<std::uint16_t>(from.accept()));
    if (from.has_observe()) request.options.observe(from.observe());
    if (!request.options.ok()) return std::nullopt;
    if (!from.token().empty()) request.token = coap::Token(as_bytes(from.token()));
    request.payload = as_bytes(from.payload());
    const Duration asked = std::chrono::milliseconds(call.request.timeout_ms());
    request.deadline = call.received + std::min(asked, context_.config.downlink.timeout_max);
    return request;
}

void DownlinkService::fetch(std::uint32_t device_number, std::uint16_t spec, const Notify& notify, ByteView first) {
    const Bytes begin(first.begin(), first.end());
    const auto go_on = [this, device_number, notify, begin](const internal::v1::CoapRequest* observed) {
        const bool sent = observed != nullptr && fetch_rest(device_number, *observed, notify, begin);
        if (!sent) uplink_.on_fetched(notify, std::nullopt);
    };
    if (!specs_.find(spec, go_on)) uplink_.on_fetched(notify, std::nullopt);
}

// RFC 7959 section 2.6: the rest is fetched by a request of its own, without Observe, in the format of its beginning.
bool DownlinkService::fetch_rest(std::uint32_t device_number, const internal::v1::CoapRequest& observed,
                                 const Notify& notify, ByteView first) {
    const Device* device = context_.table.find(device_number);
    if (device == nullptr || context_.draining) return false;
    if (pending_.size() >= context_.config.downlink.pending_max) return false;
    const coap::PartialBody partial{first, notify.etag, notify.szx};
    coap::Request request;
    request.method = static_cast<coap::Code>(observed.method());
    request.options.path(context_.table.root_path(*device)).path(observed.path());
    for (const std::string& query : observed.queries()) request.options.query(query);
    if (observed.has_content_format()) {
        request.options.content_format(static_cast<std::uint16_t>(observed.content_format()));
    }
    if (notify.content_format) request.options.accept(*notify.content_format);
    request.payload = as_bytes(observed.payload());
    request.resume = &partial;
    request.deadline = context_.now.steady + context_.config.downlink.timeout_max;
    const std::uint64_t cookie = next_cookie_++;
    const auto status = context_.endpoint->send_request(device->peer, request, cookie, context_.now);
    if (status != coap::SendStatus::ok) return false;
    pending_.try_emplace(cookie, Pending{device_number, 0, nullptr, std::make_unique<Notify>(notify), 0, {}});
    return true;
}

void DownlinkService::on_response(std::uint64_t cookie, const coap::ResponseView& response) {
    Pending* found = pending_.find(cookie);
    if (found == nullptr) return;
    const Pending pending = std::move(*found);
    pending_.erase(cookie);
    Device* device = context_.table.find(pending.device_number);
    if (device != nullptr) device->heard = context_.seconds();
    if (pending.notify) {
        const bool whole = coap::is_success(response.code());
        return uplink_.on_fetched(*pending.notify, whole ? std::optional(response.payload) : std::nullopt);
    }
    context_.metrics.count_exchange(pending.method, context_.now.steady - pending.began);
    Result result;
    result.set_outcome(Result::OUTCOME_ANSWERED);
    result.set_coap_code(static_cast<std::uint32_t>(response.code()));
    if (const auto format = response.message.content_format()) result.set_content_format(*format);
    if (response.observe) result.set_observe(*response.observe);
    result.set_payload(response.payload.data(), response.payload.size());
    result.set_location(location_of(response.message));
    result.set_received_ms(context_.now.wall_ms);
    finish(pending, std::move(result));
}

void DownlinkService::on_failed(std::uint64_t cookie, coap::FailureReason reason) {
    Pending* found = pending_.find(cookie);
    if (found == nullptr) return;
    const Pending pending = std::move(*found);
    pending_.erase(cookie);
    if (pending.notify) return uplink_.on_fetched(*pending.notify, std::nullopt);
    Result result;
    result.set_outcome(outcome_of(reason));
    result.set_message(std::string(coap::to_string(reason)));
    finish(pending, std::move(result));
}

void DownlinkService::finish(const Pending& pending, Result&& result) {
    context_.metrics.downlinks[static_cast<std::size_t>(result.outcome())].add();
    result.set_id(pending.request_id);
    if (const Device* device = context_.table.find(pending.device_number)) {
        result.mutable_owner()->set_node(context_.setup.registry.node());
        result.mutable_owner()->set_shard(context_.setup.shard);
        result.mutable_owner()->set_epoch(device->epoch);
        result.set_generation(device->generation);
    }
    pending.reply->deliver(std::move(result));
}

void DownlinkService::refuse(const DownlinkCall& call, Result::Outcome outcome, std::string_view message) {
    Result result;
    result.set_outcome(outcome);
    result.set_message(std::string(message));
    finish(Pending{call.request.device_number(), call.request.id(), call.reply, nullptr, 0, {}}, std::move(result));
}

void DownlinkService::refuse_not_owner(const DownlinkCall& call) {
    refuse(call, Result::OUTCOME_NOT_OWNER, describe(Result::OUTCOME_NOT_OWNER));
}

void DownlinkService::refuse_unavailable(const DownlinkCall& call, std::string_view message) {
    refuse(call, Result::OUTCOME_UNAVAILABLE, message);
}

}  // namespace lanyard::coap_ingress
