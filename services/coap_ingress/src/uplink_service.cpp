#include "uplink_service.hpp"

#include <algorithm>
#include <utility>

#include "identity/event_id.hpp"
#include "lwm2m/codec.hpp"
#include "lwm2m_coap/error_map.hpp"
#include "runtime/socket_address.hpp"

namespace lanyard::coap_ingress {
namespace {

using events::v1::UplinkRecord;

Notify copy_of(const coap::PeerId& peer, const coap::NotificationView& view, coap::NotificationHandle handle,
               const Now& now) {
    Notify notify;
    notify.peer = peer;
    notify.handle = handle;
    notify.token = view.token();
    notify.message_id = view.message.mid();
    notify.code = view.code();
    notify.content_format = view.message.content_format();
    notify.observe = view.observe;
    notify.received = now.steady;
    notify.received_ms = now.wall_ms;
    if (view.block2 && view.block2->more) {
        notify.partial = true;
        notify.szx = view.block2->szx;
        const auto etag = view.message.find(coap::OptionNumber::etag).value_or(ByteView{});
        notify.etag.assign(etag.begin(), etag.end());
    }
    return notify;
}

}  // namespace

UplinkService::UplinkService(ShardContext& context, Lifetimes& lifetimes, Adoption& adoption)
    : context_(context), lifetimes_(lifetimes), adoption_(adoption) {}

void UplinkService::drop(const Notify& notify, NotifyResult result) {
    context_.metrics.count_notification(result);
    if (result == NotifyResult::unknown_token) {
        context_.warn("token", "notification of an unknown observation reset", notify.peer);
        context_.endpoint->reset(notify.handle);
    } else {
        context_.endpoint->forget(notify.handle);
    }
}

void UplinkService::on_notification(const coap::PeerId& peer, const coap::NotificationView& view,
                                    coap::NotificationHandle handle) {
    Notify notify = copy_of(peer, view, handle, context_.now);
    const auto token = identity::parse_observation_token(view.token().bytes());
    if (!token) return drop(notify, NotifyResult::unknown_token);
    if (Device* device = context_.table.find(token->device.value)) {
        return settle(*device, *token, notify, view.payload);
    }
    look_up(*token, std::move(notify), view.payload);
}

void UplinkService::look_up(const identity::ObservationToken& token, Notify notify, ByteView payload) {
    const Bytes body(payload.begin(), payload.end());
    const auto go_on = [this, token, notify, body](AdoptOutcome outcome, Device* device) {
        if (outcome == AdoptOutcome::unavailable) return drop(notify, NotifyResult::deferred);
        if (device == nullptr) return drop(notify, NotifyResult::unknown_token);
        settle(*device, token, notify, body);
    };
    if (!adoption_.look_up(token.device.value, notify.token, notify.peer, go_on)) drop(notify, NotifyResult::deferred);
}

void UplinkService::settle(Device& device, const identity::ObservationToken& token, const Notify& notify,
                           ByteView payload) {
    // The mac holds the generation: a token of an earlier registration is void (Core 1.2 section 6.4.1).
    const bool known = identity::verify_observation_token(context_.setup.key, token, device.generation) &&
                       context_.table.tenant(device) == context_.tenant_of(notify.peer);
    const bool moved = !(device.peer == notify.peer);
    const bool located = device.peer.listener != kNoListener;
    if (!known || (moved && located && context_.config.nosec_rebind == Rebind::strict)) {
        return drop(notify, NotifyResult::unknown_token);
    }
    if (moved) {
        if (located) context_.endpoint->rebind_peer(device.peer, notify.peer, context_.now);
        context_.table.rebind(device, notify.peer);
        context_.metrics.rebinds.add();
    }
    device.heard = context_.seconds();
    lifetimes_.touch(device);
    if (notify.partial) return fetcher_->fetch(device.number, token.spec, notify, payload);
    fill(device, notify, payload);
    record_.set_observation_spec(token.spec);
    if (!produce(device, {notify.handle.id, notify.received, 0, false, true}, notify.received_ms)) {
        drop(notify, NotifyResult::failed);
    }
}

void UplinkService::on_fetched(const Notify& notify, std::optional<ByteView> body) {
    if (!body) {
        context_.warn("block", "rest of a notification not fetched, the device will repeat it", notify.peer);
        return drop(notify, NotifyResult::incomplete);
    }
    const auto token = identity::parse_observation_token(notify.token.bytes());
    Device* device = token ? context_.table.find(token->device.value) : nullptr;
    if (device == nullptr) return drop(notify, NotifyResult::deferred);
    Notify whole = notify;
    whole.partial = false;
    settle(*device, *token, whole, *body);
}

void UplinkService::on_send(const coap::PeerId& peer, const coap::RequestView& request, coap::RequestHandle handle,
                            lwm2m::ContentFormat format) {
    bool ambiguous = false;
    Device* device = context_.table.find_by_peer(peer, ambiguous);
    if (device == nullptr) return context_.refuse(handle, coap::Code::not_found, "not registered from this address");
    // Conformance O-14: a Send carries no location, so the address has to tell the device.
    if (ambiguous) return context_.refuse(handle, coap::Code::bad_request, "several registrations at this address");
    if (!check_content(*device, handle, format, request.payload)) return;
    device->heard = context_.seconds();
    lifetimes_.touch(*device);
    Notify message;
    message.peer = peer;
    message.token = request.message.token();
    message.message_id = request.message.mid();
    message.code = request.method();
    message.content_format = lwm2m::number_of(format);
    message.received_ms = context_.now.wall_ms;
    fill(*device, message, request.payload);
    record_.set_kind(UplinkRecord::KIND_SEND);
    if (produce(*device, {handle.id, context_.now.steady, 0, true, true}, message.received_ms)) return;
    context_.metrics.sends[1].add();
    context_.refuse_unavailable(handle, "not stored: try again");
}

bool UplinkService::check_content(const Device& device, coap::RequestHandle handle, lwm2m::ContentFormat format,
                                  ByteView payload) {
    const std::string_view root = context_.table.root_path(device);
    const std::string prefix = root.empty() ? std::string() : "/" + std::string(root);
    lwm2m::DecodeContext decoding;
    decoding.received_ms = context_.now.wall_ms;
    decoding.root_path = prefix;
    const auto records = lwm2m::decode(format, payload, decoding);
    if (!records) return refuse_content(handle, records.error()), false;
    // Core 1.2 section 6.4.6: 4.04 for what was not registered.
    const bool known = std::all_of(records->begin(), records->end(), [&](const lwm2m::Record& record) {
        const auto object = record.path.object();
        return object && context_.table.has_object(device, *object);
    });
    if (!known) context_.refuse(handle, coap::Code::not_found, "an object that was not registered");
    return known;
}

void UplinkService::refuse_content(coap::RequestHandle handle, const Error& error) {
    if (error.code == Errc::too_large) return context_.refuse_too_large(handle, error.message);
    context_.refuse(handle, lwm2m_coap::to_code(error.code), error.message);
}

// Texts are assigned in place, so that the record's memory is used again: nothing is allocated in the steady state.
void UplinkService::fill(const Device& device, const Notify& message, ByteView payload) {
    record_.Clear();
    record_.mutable_tenant()->assign(context_.table.tenant(device));
    record_.mutable_endpoint()->assign(context_.table.endpoint(device));
    record_.set_kind(UplinkRecord::KIND_NOTIFY);
    record_.set_device_number(device.number);
    record_.set_generation(device.generation);
    record_.set_epoch(device.epoch);
    if (message.observe) record_.set_observe_sequence(*message.observe);
    record_.set_coap_code(static_cast<std::uint32_t>(message.code));
    if (message.content_format) record_.set_content_format(*message.content_format);
    record_.mutable_payload()->assign(as_text(payload));
    record_.set_received_ms(message.received_ms);
    identity::message_event_id({device.number, device.generation, message.message_id, message.observe.value_or(0),
                                message.token.bytes(), payload},
                               *record_.mutable_event_id());
    runtime::to_string(message.peer.address, *record_.mutable_remote_address());
    const std::string_view root = context_.table.root_path(device);
    if (!root.empty()) record_.mutable_root_path()->assign(1, '/').append(root);
}

bool UplinkService::produce(const Device& device, const Pending& pending, UnixMillis received_ms) {
    if (pending_count_ >= context_.config.uplink.pending_max) return false;
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(pending_.size()));
        pending_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    const std::uint32_t turn = pending_[index].turn + 1;

    key_.assign(context_.table.tenant(device)).append(1, '/').append(context_.table.endpoint(device));
    value_.resize(record_.ByteSizeLong());
    record_.SerializeWithCachedSizesToArray(value_.data());
    const std::uint64_t opaque = (std::uint64_t{turn} << 32) | index;
    if (!context_.setup.uplink.produce({key_, value_, received_ms, opaque})) return false;

    free_.pop_back();
    pending_[index] = pending;
    pending_[index].turn = turn;
    ++pending_count_;
    return true;
}

void UplinkService::on_delivery(std::uint64_t opaque, bool delivered) {
    const auto index = static_cast<std::uint32_t>(opaque);
    if (index >= pending_.size()) return;
    Pending& entry = pending_[index];
    if (!entry.in_use || entry.turn != static_cast<std::uint32_t>(opaque >> 32)) return;
    entry.in_use = false;
    free_.push_back(index);
    --pending_count_;
    if (delivered && context_.metrics.ingest_latency != nullptr) {
        const std::chrono::duration<double> waited = context_.now.steady - entry.received;
        context_.metrics.ingest_latency->observe(waited.count());
    }
    if (entry.is_send) {
        context_.metrics.sends[delivered ? 0 : 1].add();
        if (delivered) return context_.respond(coap::RequestHandle{entry.handle}, coap::Code::changed);
        return context_.refuse_unavailable(coap::RequestHandle{entry.handle}, "not stored: try again");
    }
    context_.metrics.count_notification(delivered ? NotifyResult::delivered : NotifyResult::failed);
    if (delivered) {
        context_.endpoint->ack(coap::NotificationHandle{entry.handle});
    } else {
        context_.warn("kafka", "notification not stored, the device will repeat it", "delivery failed");
        context_.endpoint->forget(coap::NotificationHandle{entry.handle});
    }
}

}  // namespace lanyard::coap_ingress
