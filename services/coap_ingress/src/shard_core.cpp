#include "shard_core.hpp"

#include <algorithm>
#include <utility>

#include "lwm2m_coap/uplink.hpp"

namespace lanyard::coap_ingress {
namespace {

using namespace std::chrono_literals;

coap::EndpointConfig endpoint_config(const ShardSetup& setup) {
    coap::EndpointConfig config;
    config.seed = setup.seed;
    config.limits.block1_body_bytes = setup.config.request_body_max;
    config.limits.exchanges_per_peer = setup.config.downlink.queue_per_device;
    config.limits.pending_requests = setup.config.registry.pending_max + setup.config.uplink.pending_max;
    return config;
}

}  // namespace

ShardCore::ShardCore(const ShardSetup& setup, Now start)
    : context_(setup, start),
      endpoint_(endpoint_config(setup), *this, start),
      commands_(context_),
      lifetimes_(context_, commands_),
      adoption_(context_, commands_, lifetimes_),
      registrations_(context_, commands_, lifetimes_, adoption_),
      uplink_(context_, lifetimes_, adoption_),
      downlink_(context_, commands_, uplink_),
      next_second_(start.steady + 1s) {
    context_.endpoint = &endpoint_;
    uplink_.set_fetcher(downlink_);
}

void ShardCore::on_message(const Inbound& inbound, Now now) {
    context_.now = now;
    context_.identity = inbound.identity;
    context_.metrics.count_message(false, inbound.message);
    endpoint_.on_datagram(inbound.peer, inbound.message, now);
}

void ShardCore::on_registry_result(const internal::v1::RegistrationResult& result, Now now) {
    context_.now = now;
    commands_.on_result(result);
}

void ShardCore::on_fenced(std::uint32_t device_number, std::uint32_t epoch, Now now) {
    context_.now = now;
    adoption_.on_fenced(device_number, epoch);
}

void ShardCore::on_delivery(std::uint64_t opaque, bool delivered, Now now) {
    context_.now = now;
    uplink_.on_delivery(opaque, delivered);
}

bool ShardCore::on_downlink(DownlinkCall& call, Now now) {
    context_.now = now;
    if (call.request.fences()) {
        adoption_.on_fenced(call.request.device_number(), call.request.owner().epoch());
        return false;
    }
    return downlink_.on_call(call);
}

void ShardCore::on_timer(Now now) {
    context_.now = now;
    endpoint_.on_timer(now);
    commands_.on_timer();
    if (now.steady >= next_second_) on_second();
}

void ShardCore::on_second() {
    next_second_ = context_.now.steady + 1s;
    lifetimes_.on_timer();
    context_.metrics.copy_endpoint(endpoint_.stats(), counted_);
    context_.metrics.registrations.store(context_.table.size(), std::memory_order_relaxed);
    context_.metrics.uplink_pending.store(uplink_.pending(), std::memory_order_relaxed);
}

SteadyTime ShardCore::next_timeout() const {
    return std::min(endpoint_.next_timeout().value_or(next_second_), next_second_);
}

void ShardCore::begin_drain(Now now) {
    context_.now = now;
    context_.draining = true;
    lifetimes_.flush();
}

bool ShardCore::drained() const {
    return uplink_.pending() == 0 && commands_.pending() == 0;
}

void ShardCore::transmit(const coap::PeerId& peer, ByteView datagram) {
    context_.metrics.count_message(true, datagram);
    context_.setup.transmitter.transmit(peer, datagram);
}

void ShardCore::on_request(const coap::PeerId& peer, const coap::RequestView& request, coap::RequestHandle handle) {
    using Kind = lwm2m_coap::UplinkKind;
    const auto found = lwm2m_coap::classify(request.method(), request.message.options(), !request.payload.empty());
    if (!found) return context_.refuse(handle, found.refusal, found.reason);
    const lwm2m_coap::Uplink& uplink = *found.uplink;
    switch (uplink.kind) {
        case Kind::register_:
            return registrations_.on_register(peer, handle, uplink.query(), request.payload);
        case Kind::update:
            // Drafts of 1.0 had PUT here; since 1.0 it is POST (Transport 1.1 section 6.4.3).
            if (request.method() == coap::Code::put) {
                return context_.refuse(handle, coap::Code::method_not_allowed, "an Update is a POST");
            }
            return registrations_.on_update(peer, handle, uplink.location, uplink.query(), request.payload);
        case Kind::deregister:
            return registrations_.on_deregister(peer, handle, uplink.location);
        case Kind::send:
            return uplink_.on_send(peer, request, handle, *uplink.format);
    }
}

void ShardCore::on_malformed(const coap::PeerId& peer, coap::DecodeError error) {
    context_.warn_malformed(peer, error);
}

void ShardCore::on_refused(const coap::PeerId& peer, coap::Code code, std::string_view reason) {
    context_.count_refused(peer, code, reason);
}

void ShardCore::on_response(std::uint64_t cookie, const coap::ResponseView& response) {
    downlink_.on_response(cookie, response);
}

void ShardCore::on_request_failed(std::uint64_t cookie, coap::FailureReason reason) {
    downlink_.on_failed(cookie, reason);
}

void ShardCore::on_notification(const coap::PeerId& peer, const coap::NotificationView& notification,
                                coap::NotificationHandle handle) {
    uplink_.on_notification(peer, notification, handle);
}

}  // namespace lanyard::coap_ingress
