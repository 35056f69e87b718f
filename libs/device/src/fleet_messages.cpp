#include <string_view>

#include "fleet_core.hpp"
#include "lwm2m/codec.hpp"

namespace lanyard::device {
namespace {

using coap::Code;
using coap::OptionNumber;
using coap::Type;

constexpr std::string_view kObjectsSince11 =
    "</>;rt=\"oma.lwm2m\";ct=\"0 42 110 112 11542\",</1/0>,</3/0>,</4/0>,</3303/0>";
constexpr std::string_view kObjectsOf10 = "</>;rt=\"oma.lwm2m\";ct=11542,</1/0>,</3/0>,</4/0>,</3303/0>";

// The token of a request is its message id: two bytes, never those of an observation.
coap::Token token_of(std::uint16_t mid) {
    const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(mid >> 8), static_cast<std::uint8_t>(mid)};
    return coap::Token(bytes);
}

coap::MessageWriter begin_request(std::span<std::uint8_t> buffer, Code method, std::uint16_t mid) {
    return {buffer, coap::Header{Type::confirmable, method, mid}, token_of(mid)};
}

void query(coap::MessageWriter& writer, std::string_view text) {
    writer.option(OptionNumber::uri_query, as_bytes(text));
}

void location(coap::MessageWriter& writer, const FleetDevice& device) {
    std::string_view rest(device.location.data(), device.location_size);
    while (!rest.empty()) {
        const std::size_t slash = rest.find('/');
        writer.option(OptionNumber::uri_path, as_bytes(rest.substr(0, slash)));
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    }
}

}  // namespace

void Fleet::Core::transmit(DeviceIndex index, ByteView datagram) {
    devices_[index].sent_at = now_ms_;
    ++counters_.datagrams_sent;
    sink_.transmit(index, datagram);
}

void Fleet::Core::transmit_empty(DeviceIndex index, Type type, std::uint16_t mid) {
    transmit(index, coap::encode_empty(type, mid));
}

void Fleet::Core::transmit_pending(DeviceIndex index) {
    const FleetDevice& device = devices_[index];
    const PendingExchange& pending = device.pending;
    switch (pending.kind) {
        case ExchangeKind::register_:
            transmit(index, build_register(index));
            break;
        case ExchangeKind::update:
            transmit(index, build_on_location(device, Code::post));
            break;
        case ExchangeKind::deregister:
            transmit(index, build_on_location(device, Code::delete_));
            break;
        case ExchangeKind::send:
            transmit(index, build_send(device));
            break;
        case ExchangeKind::notify:
            transmit(index, build_notification(index, device.slots[pending.slot], Type::confirmable, pending));
            break;
        case ExchangeKind::none:
            break;
    }
}

ByteView Fleet::Core::build_register(DeviceIndex index) {
    const FleetDevice& device = devices_[index];
    const bool since_11 = profile_.version > lwm2m::Version{1, 0};
    coap::MessageWriter writer = begin_request(buffer_, Code::post, device.pending.mid);
    writer.option(OptionNumber::uri_path, as_bytes("rd"));
    writer.option_uint(OptionNumber::content_format, lwm2m::number_of(lwm2m::ContentFormat::link_format));
    query(writer, "ep=" + endpoint(index));
    query(writer, "lt=" + std::to_string(device.lifetime_s));
    query(writer, "lwm2m=" + profile_.version.to_string());
    query(writer, device.queue_mode && !since_11 ? "b=UQ" : "b=U");
    if (device.queue_mode && since_11) query(writer, "Q");
    writer.payload(as_bytes(since_11 ? kObjectsSince11 : kObjectsOf10));
    return writer.finish();
}

ByteView Fleet::Core::build_on_location(const FleetDevice& device, Code method) {
    coap::MessageWriter writer = begin_request(buffer_, method, device.pending.mid);
    location(writer, device);
    if (method == Code::post && device.lifetime_changed) query(writer, "lt=" + std::to_string(device.lifetime_s));
    return writer.finish();
}

ByteView Fleet::Core::build_send(const FleetDevice& device) {
    const lwm2m::Record record{observable_path(0), degrees(device.pending.sensor.value), std::nullopt};
    const Result<Bytes> payload = lwm2m::encode(lwm2m::ContentFormat::senml_cbor, lwm2m::Path(), std::span(&record, 1));
    coap::MessageWriter writer = begin_request(buffer_, Code::post, device.pending.mid);
    writer.option(OptionNumber::uri_path, as_bytes("dp"));
    writer.option_uint(OptionNumber::content_format, lwm2m::number_of(lwm2m::ContentFormat::senml_cbor));
    if (payload) writer.payload(*payload);
    return writer.finish();
}

ByteView Fleet::Core::build_notification(DeviceIndex index, const ObservationSlot& slot, Type type,
                                         const PendingExchange& what) {
    const SensorTree tree = tree_of(index, what.sensor);
    const Answer answer = read_answer(tree, observable_path(slot.observed), slot.format, profile_.preferred);
    const coap::Token token(ByteView(slot.token.data(), slot.token_size));
    coap::MessageWriter writer(buffer_, coap::Header{type, answer.code, what.mid}, token);
    writer.option_uint(OptionNumber::observe, what.sequence & 0xffffff);
    if (answer.format) writer.option_uint(OptionNumber::content_format, lwm2m::number_of(*answer.format));
    writer.payload(answer.payload);
    return writer.finish();
}

}  // namespace lanyard::device
