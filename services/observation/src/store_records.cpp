#include "store_records.hpp"

#include <algorithm>
#include <limits>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.hpp"
#include "lanyard/storage/v1/observation.pb.h"
#include "lwm2m/path.hpp"

namespace lanyard::observation {
namespace {

constexpr std::size_t kTimeBytes = 6;  // Unix milliseconds for thousands of years
// A key of two bytes is a spec; a value's path has at least two levels of two bytes.
constexpr std::size_t kSpecKeyBytes = 2;
constexpr std::size_t kPathLevelsMin = 2;

std::uint64_t time_number(UnixMillis time_ms) {
    return static_cast<std::uint64_t>(std::max<UnixMillis>(time_ms, 0));
}

// Entries one after the other, as redis_scripts.hpp describes them.
class EntryWriter {
  public:
    // What follows until end() is of this entry.
    ByteWriter& begin(std::string_view key) {
        out_.uint_be(0, kLengthBytes);
        first_ = bytes_.size();
        out_.u8(static_cast<std::uint8_t>(key.size()));
        out_.put(key);
        return out_;
    }
    void end() {
        const std::size_t length = bytes_.size() - first_;
        for (std::size_t i = 0; i < kLengthBytes; ++i) {
            bytes_[first_ - 1 - i] = static_cast<std::uint8_t>(length >> (8 * i));
        }
    }
    [[nodiscard]] std::string take() const { return to_string(bytes_); }

  private:
    static constexpr std::size_t kLengthBytes = 3;
    Bytes bytes_;
    ByteWriter out_{bytes_};
    std::size_t first_ = 0;
};

// Calls `visit(key, rest)` for each entry; stops where the text is damaged.
template <class Visit>
void each_entry(std::string_view text, Visit visit) {
    ByteReader in(as_bytes(text));
    while (!in.at_end()) {
        const ByteView entry = in.take(in.uint_be(3));
        if (!in.ok()) return;
        ByteReader one(entry);
        const std::string_view key = as_text(one.take(one.u8()));
        if (one.ok()) visit(key, one.take(one.remaining()));
    }
}

std::string path_key(const lwm2m::Path& path) {
    Bytes bytes;
    ByteWriter out(bytes);
    for (std::size_t level = 0; level < path.size(); ++level) out.u16(path[level]);
    return to_string(bytes);
}

std::optional<lwm2m::Path> path_of(std::string_view key) {
    ByteReader in(as_bytes(key));
    lwm2m::Path path;
    while (!in.at_end()) {
        const auto deeper = path.child(in.u16());
        if (!in.ok() || !deeper) return {};
        path = *deeper;
    }
    return path;
}

template <class Message>
std::optional<Message> parse(std::string_view bytes) {
    Message message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return {};
    return message;
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
    EntryWriter entries;
    entries.begin(own.id).put(message.SerializeAsString());
    entries.end();
    return entries.take();
}

std::vector<OwnObservation> decode_owns(std::string_view text) {
    std::vector<OwnObservation> out;
    each_entry(text, [&](std::string_view id, ByteView rest) {
        const auto message = parse<storage::v1::StoredObservation>(as_text(rest));
        if (!message) return;
        OwnObservation own;
        own.id = std::string(id);
        own.path = message->path();
        own.attributes.insert(message->attributes().begin(), message->attributes().end());
        own.accept = get_accept(*message);
        own.spec = static_cast<SpecId>(message->spec());
        out.push_back(std::move(own));
    });
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
}

std::string spec_key(SpecId spec) {
    return {static_cast<char>(spec >> 8), static_cast<char>(spec)};
}

std::string encode_states(std::span<const ObservationState> states) {
    EntryWriter entries;
    for (const ObservationState& state : states) {
        ByteWriter& out = entries.begin(spec_key(state.spec));
        out.u32(state.generation);
        out.uint_be(time_number(state.since_ms), kTimeBytes);
        out.u8(static_cast<std::uint8_t>(state.state));
        out.put(state.reason);
        entries.end();
    }
    return entries.take();
}

std::vector<ObservationState> decode_states(std::string_view text) {
    std::vector<ObservationState> out;
    each_entry(text, [&](std::string_view key, ByteView rest) {
        ByteReader spec(as_bytes(key));
        ByteReader in(rest);
        ObservationState state;
        state.spec = spec.u16();
        state.generation = in.u32();
        state.since_ms = static_cast<UnixMillis>(in.uint_be(kTimeBytes));
        state.state = state_from(in.u8());
        state.reason = to_string(in.take(in.remaining()));
        if (spec.ok() && in.ok()) out.push_back(std::move(state));
    });
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.spec < b.spec; });
    return out;
}

std::string encode_latest(const LatestRecord& record) {
    EntryWriter entries;
    for (const LatestValue& value : record.values) {
        const auto path = lwm2m::Path::parse(value.path);
        if (!path || path->size() < kPathLevelsMin) continue;
        ByteWriter& out = entries.begin(path_key(*path));
        out.uint_be(time_number(value.time_ms), kTimeBytes);
        out.put(value.record);
        entries.end();
    }
    for (const LastNotify& notify : record.notifies) {
        ByteWriter& out = entries.begin(spec_key(notify.spec));
        out.uint_be(time_number(notify.received_ms), kTimeBytes);
        out.u32(notify.generation);
        out.u32(notify.observe_sequence);
        entries.end();
    }
    return entries.take();
}

LatestRecord decode_latest(std::string_view text) {
    LatestRecord out;
    each_entry(text, [&](std::string_view key, ByteView rest) {
        ByteReader in(rest);
        const auto time = static_cast<UnixMillis>(in.uint_be(kTimeBytes));
        if (key.size() == kSpecKeyBytes) {
            ByteReader spec(as_bytes(key));
            const LastNotify notify{spec.u16(), in.u32(), in.u32(), time};
            if (in.ok()) out.notifies.push_back(notify);
        } else if (const auto path = path_of(key); path && in.ok()) {
            out.values.push_back({path->to_string(), time, to_string(in.take(in.remaining()))});
        }
    });
    std::sort(out.values.begin(), out.values.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    std::sort(out.notifies.begin(), out.notifies.end(), [](const auto& a, const auto& b) { return a.spec < b.spec; });
    return out;
}

}  // namespace lanyard::observation
