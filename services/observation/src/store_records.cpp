#include "store_records.hpp"

#include <algorithm>
#include <limits>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.hpp"
#include "lanyard/storage/v1/observation.pb.h"

namespace lanyard::observation {
namespace {

constexpr std::size_t kOrderBytes = 8;
constexpr std::size_t kStateOrderBytes = 16;  // generation, time

std::string with_order(std::int64_t order, std::string_view rest) {
    Bytes bytes;
    ByteWriter writer(bytes);
    writer.u64(static_cast<std::uint64_t>(std::max<std::int64_t>(order, 0)));
    writer.put(rest);
    return to_string(bytes);
}

std::optional<std::int64_t> order_of(std::string_view bytes) {
    ByteReader reader(as_bytes(bytes));
    const std::uint64_t order = reader.u64();
    if (!reader.ok()) return {};
    return static_cast<std::int64_t>(order);
}

template <class Message>
std::optional<Message> parse(std::string_view bytes) {
    Message message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return {};
    return message;
}

template <class Message>
std::optional<Message> parse_ordered(std::string_view bytes, std::size_t order_bytes) {
    if (bytes.size() < order_bytes) return {};
    return parse<Message>(bytes.substr(order_bytes));
}

// Maps in the same order each time: the store tells by the bytes whether something changed.
std::string in_fixed_order(const google::protobuf::MessageLite& message) {
    std::string out;
    google::protobuf::io::StringOutputStream bytes(&out);
    google::protobuf::io::CodedOutputStream stream(&bytes);
    stream.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&stream);
    stream.Trim();
    return out;
}

template <class Message>
void set_accept(Message& message, std::optional<std::uint16_t> accept) {
    if (accept) message.set_accept(*accept);
}
template <class Message>
std::optional<std::uint16_t> get_accept(const Message& message) {
    if (!message.has_accept() || message.accept() > std::numeric_limits<std::uint16_t>::max()) return {};
    return static_cast<std::uint16_t>(message.accept());
}

State state_from(std::uint32_t number) {
    if (number == static_cast<std::uint32_t>(State::active)) return State::active;
    if (number == static_cast<std::uint32_t>(State::failed)) return State::failed;
    return State::pending;
}

}  // namespace

std::string encode_spec(const std::vector<std::string>& paths) {
    storage::v1::ObservationSpec message;
    for (const std::string& path : paths) message.add_paths(path);
    return message.SerializeAsString();
}

std::optional<Spec> decode_spec(SpecId id, std::string_view bytes) {
    const auto message = parse<storage::v1::ObservationSpec>(bytes);
    if (!message) return {};
    return Spec{id, {message->paths().begin(), message->paths().end()}};
}

std::string encode_template(const Template& entry) {
    storage::v1::StoredTemplate message;
    message.set_tenant(entry.tenant);
    message.set_id(entry.id);
    message.set_filter(entry.filter);
    message.set_object_id(entry.object_id);
    for (const std::string& path : entry.paths) message.add_paths(path);
    message.mutable_attributes()->insert(entry.attributes.begin(), entry.attributes.end());
    set_accept(message, entry.accept);
    return in_fixed_order(message);
}

std::optional<Template> decode_template(std::string_view bytes) {
    const auto message = parse<storage::v1::StoredTemplate>(bytes);
    if (!message) return {};
    Template out;
    out.tenant = message->tenant();
    out.id = message->id();
    out.filter = message->filter();
    out.object_id = static_cast<std::uint16_t>(message->object_id());
    out.paths.assign(message->paths().begin(), message->paths().end());
    out.attributes.insert(message->attributes().begin(), message->attributes().end());
    out.accept = get_accept(*message);
    return out;
}

std::string encode_own(const OwnObservation& own) {
    storage::v1::StoredObservation message;
    message.set_path(own.path);
    message.mutable_attributes()->insert(own.attributes.begin(), own.attributes.end());
    set_accept(message, own.accept);
    message.set_spec(own.spec);
    return message.SerializeAsString();
}

std::optional<OwnObservation> decode_own(std::string_view id, std::string_view bytes) {
    const auto message = parse<storage::v1::StoredObservation>(bytes);
    if (!message) return {};
    OwnObservation out;
    out.id = std::string(id);
    out.path = message->path();
    out.attributes.insert(message->attributes().begin(), message->attributes().end());
    out.accept = get_accept(*message);
    out.spec = static_cast<SpecId>(message->spec());
    return out;
}

std::string encode_state(const ObservationState& state) {
    storage::v1::StoredObservationState message;
    message.set_spec(state.spec);
    message.set_state(static_cast<std::uint32_t>(state.state));
    message.set_reason(state.reason);
    message.set_generation(state.generation);
    message.set_since_ms(state.since_ms);
    return with_order(state.generation, with_order(state.since_ms, message.SerializeAsString()));
}

std::optional<ObservationState> decode_state(std::string_view bytes) {
    const auto message = parse_ordered<storage::v1::StoredObservationState>(bytes, kStateOrderBytes);
    if (!message) return {};
    return ObservationState{static_cast<SpecId>(message->spec()), state_from(message->state()), message->reason(),
                            message->generation(), message->since_ms()};
}

std::string encode_notify(const LastNotify& notify) {
    storage::v1::StoredObservationState message;
    message.set_spec(notify.spec);
    message.set_generation(notify.generation);
    message.set_observe_sequence(notify.observe_sequence);
    message.set_last_notify_ms(notify.received_ms);
    return with_order(notify.received_ms, message.SerializeAsString());
}

std::optional<LastNotify> decode_notify(std::string_view bytes) {
    const auto message = parse_ordered<storage::v1::StoredObservationState>(bytes, kOrderBytes);
    if (!message) return {};
    return LastNotify{static_cast<SpecId>(message->spec()), message->generation(), message->observe_sequence(),
                      message->last_notify_ms()};
}

std::string encode_latest(const LatestValue& value) {
    return with_order(value.time_ms, value.record);
}

std::optional<LatestValue> decode_latest(std::string_view path, std::string_view bytes) {
    const auto order = order_of(bytes);
    if (!order) return {};
    return LatestValue{std::string(path), *order, std::string(bytes.substr(kOrderBytes))};
}

}  // namespace lanyard::observation
