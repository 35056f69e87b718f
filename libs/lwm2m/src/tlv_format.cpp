#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>

#include "formats.hpp"

// LwM2M TLV (Content-Format 11542, Core 1.2 section 7.5.5). One entry:
//
//    7 6    5        4 3            2 1 0
//   | kind | 16-bit | bytes of the | length when it   | id 1 or 2 bytes | length 0 to 3 bytes | value
//   |      | id     | length field | has no own field |
//
// kind: 0 object instance, 1 resource instance, 2 resource with instances, 3 resource with value.
namespace lanyard::lwm2m {
namespace {

enum class Kind : std::uint8_t { object_instance, resource_instance, multiple_resource, resource };

struct Entry {
    Kind kind = Kind::resource;
    std::uint16_t id = 0;
    ByteView value;
};

Error malformed(const char* what) {
    return make_error(Errc::invalid_argument, std::string("tlv: ") + what);
}

Result<Entry> read_entry(ByteReader& reader) {
    const std::uint8_t type = reader.u8();
    Entry entry;
    entry.kind = static_cast<Kind>(type >> 6);
    entry.id = (type & 0x20) != 0 ? reader.u16() : reader.u8();
    const std::size_t length_bytes = type >> 3 & 3;
    const std::size_t length = length_bytes == 0 ? type & 7U : reader.uint_be(length_bytes);
    if (!reader.ok() || length > reader.remaining()) return malformed("an entry goes past the end");
    if (entry.id == kReservedId) return malformed("id 65535 is reserved");
    entry.value = reader.take(length);
    return entry;
}

bool is_integer_width(std::size_t width) {
    return width == 1 || width == 2 || width == 4 || width == 8;
}

std::int64_t signed_be(ByteView bytes) {
    ByteReader reader(bytes);
    const auto shift = static_cast<int>(64 - 8 * bytes.size());
    return static_cast<std::int64_t>(reader.uint_be(bytes.size()) << shift) >> shift;
}

Result<Value> number_of(ByteView bytes, ValueType type) {
    if (type == ValueType::floating) {
        if (bytes.size() == 4) return Value(double{std::bit_cast<float>(ByteReader(bytes).u32())});
        if (bytes.size() == 8) return Value(std::bit_cast<double>(ByteReader(bytes).u64()));
        return malformed("a float has 4 or 8 bytes");
    }
    if (!is_integer_width(bytes.size())) return malformed("an integer has 1, 2, 4 or 8 bytes");
    if (type == ValueType::unsigned_integer) return Value(ByteReader(bytes).uint_be(bytes.size()));
    if (type == ValueType::time) return Value(Time{signed_be(bytes)});
    return Value(signed_be(bytes));
}

Result<Value> value_of(ByteView bytes, ValueType type) {
    switch (type) {
        case ValueType::integer:
        case ValueType::unsigned_integer:
        case ValueType::floating:
        case ValueType::time:
            return number_of(bytes, type);
        case ValueType::boolean:
            if (bytes.size() != 1 || bytes[0] > 1) return malformed("a boolean is one byte, 0 or 1");
            return Value(bytes[0] == 1);
        case ValueType::object_link: {
            if (bytes.size() != 4) return malformed("an object link has 4 bytes");
            ByteReader reader(bytes);
            const std::uint16_t object = reader.u16();
            return Value(ObjectLink{object, reader.u16()});
        }
        case ValueType::string:
            return Value(lanyard::to_string(bytes));
        case ValueType::core_link:
            return Value(CoreLink{lanyard::to_string(bytes)});
        default:
            return Value(Bytes(bytes.begin(), bytes.end()));
    }
}

Result<void> add_value(const Path& path, ByteView bytes, RecordSink& sink) {
    auto value = value_of(bytes, sink.type_of(path).value_or(ValueType::opaque));
    if (!value) return make_error(value.error().code, path.to_string() + ": " + value.error().message);
    return sink.add(path, std::move(*value));
}

Result<void> decode_resource_instances(ByteView bytes, const Path& resource, RecordSink& sink) {
    for (ByteReader reader(bytes); !reader.at_end();) {
        const auto entry = read_entry(reader);
        if (!entry) return entry.error();
        if (entry->kind != Kind::resource_instance) return malformed("a resource may hold resource instances only");
        const auto path = resource.child(entry->id);
        if (!path) return path.error();
        if (auto added = add_value(*path, entry->value, sink); !added) return added;
    }
    return {};
}

Result<void> decode_resources(ByteView bytes, const Path& instance, RecordSink& sink) {
    for (ByteReader reader(bytes); !reader.at_end();) {
        const auto entry = read_entry(reader);
        if (!entry) return entry.error();
        const auto path = instance.child(entry->id);
        if (!path) return path.error();
        Result<void> done;
        switch (entry->kind) {
            case Kind::resource:
                done = add_value(*path, entry->value, sink);
                break;
            case Kind::multiple_resource:
                done = decode_resource_instances(entry->value, *path, sink);
                break;
            default:
                return malformed("an object instance may hold resources only");
        }
        if (!done) return done;
    }
    return {};
}

Result<void> decode_instances(ByteView bytes, const Path& object, RecordSink& sink) {
    for (ByteReader reader(bytes); !reader.at_end();) {
        const auto entry = read_entry(reader);
        if (!entry) return entry.error();
        if (entry->kind != Kind::object_instance) return malformed("object instances and other entries are mixed");
        const auto path = object.child(entry->id);
        if (!path) return path.error();
        if (auto done = decode_resources(entry->value, *path, sink); !done) return done;
    }
    return {};
}

void write_entry(Kind kind, std::uint16_t id, ByteView value, Bytes& out) {
    const std::size_t size = value.size();
    const std::size_t length_bytes = size < 8 ? 0 : size < 0x100 ? 1 : size < 0x10000 ? 2 : 3;
    const bool wide_id = id > 0xff;
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(kind) << 6 | (wide_id ? 0x20U : 0U) | length_bytes << 3 |
                                        (length_bytes == 0 ? size : 0)));
    writer.uint_be(id, wide_id ? 2 : 1);
    if (length_bytes != 0) writer.uint_be(size, length_bytes);
    writer.put(value);
}

// The narrowest of the widths that TLV has.
void write_signed(std::int64_t value, ByteWriter& writer) {
    const auto fits = [value](int bits) { return value >> (bits - 1) == 0 || value >> (bits - 1) == -1; };
    const std::size_t width = fits(8) ? 1 : fits(16) ? 2 : fits(32) ? 4 : 8;
    writer.uint_be(static_cast<std::uint64_t>(value), width);
}

struct ValueWriter {
    ByteWriter& writer;

    void operator()(std::monostate) const {}
    void operator()(std::int64_t v) const { write_signed(v, writer); }
    void operator()(std::uint64_t v) const {
        writer.uint_be(v, v < 0x100 ? 1 : v < 0x10000 ? 2 : v < 0x100000000 ? 4 : 8);
    }
    void operator()(double v) const {
        // Checked first: the conversion of a double beyond the range of float is undefined.
        if (std::fabs(v) <= FLT_MAX && double{static_cast<float>(v)} == v) {
            return writer.u32(std::bit_cast<std::uint32_t>(static_cast<float>(v)));
        }
        writer.u64(std::bit_cast<std::uint64_t>(v));
    }
    void operator()(bool v) const { writer.u8(v ? 1 : 0); }
    void operator()(const std::string& v) const { writer.put(std::string_view(v)); }
    void operator()(const Bytes& v) const { writer.put(ByteView(v)); }
    void operator()(Time v) const { write_signed(v.seconds, writer); }
    void operator()(ObjectLink v) const {
        writer.u16(v.object);
        writer.u16(v.instance);
    }
    void operator()(const CoreLink& v) const { writer.put(std::string_view(v.text)); }
};

Bytes value_bytes(const Value& value) {
    Bytes bytes;
    ByteWriter writer(bytes);
    std::visit(ValueWriter{writer}, value);
    return bytes;
}

// Takes the records of one path prefix off the front.
std::span<const Record> take_group(std::span<const Record>& records, std::size_t level) {
    const Path prefix = records.front().path.prefix(level);
    std::size_t count = 0;
    while (count < records.size() && prefix.contains(records[count].path)) ++count;
    const auto group = records.first(count);
    records = records.subspan(count);
    return group;
}

void write_resources(std::span<const Record> records, Bytes& out) {
    while (!records.empty()) {
        const auto group = take_group(records, 3);
        const std::uint16_t id = group.front().path[2];
        if (group.front().path.size() == 3) {
            write_entry(Kind::resource, id, value_bytes(group.front().value), out);
            continue;
        }
        Bytes instances;
        for (const auto& record : group) {
            write_entry(Kind::resource_instance, record.path[3], value_bytes(record.value), instances);
        }
        write_entry(Kind::multiple_resource, id, instances, out);
    }
}

bool is_valueless(const Record& record) {
    return record.path.size() < 3 || std::holds_alternative<std::monostate>(record.value);
}

// Sorted by path; of several records for one path only the last, as TLV cannot tell times.
Records sorted_unique(std::span<const Record> records) {
    Records sorted(records.begin(), records.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    const auto kept =
        std::unique(sorted.rbegin(), sorted.rend(), [](const auto& a, const auto& b) { return a.path == b.path; });
    sorted.erase(sorted.begin(), kept.base());
    return sorted;
}

}  // namespace

Result<void> decode_tlv(ByteView payload, RecordSink& sink) {
    const Path& base = sink.context().base;
    if (base.is_root()) return malformed("a payload without object id needs a base path");
    ByteReader peek(payload);
    const auto first = read_entry(peek);
    if (!first) return first.error();
    switch (first->kind) {
        case Kind::object_instance:
            return decode_instances(payload, base.prefix(1), sink);
        case Kind::resource_instance:
            if (base.size() < 3) return malformed("resource instances need a resource");
            return decode_resource_instances(payload, base.prefix(3), sink);
        default:
            // Without wrapper the answer to a Read of an object is that of its single instance.
            return decode_resources(payload, base.size() > 1 ? base.prefix(2) : Path{base[0], 0}, sink);
    }
}

Result<Bytes> encode_tlv(const EncodeInput& input) {
    if (input.base.is_root()) return malformed("cannot carry several objects");
    if (std::any_of(input.records.begin(), input.records.end(), is_valueless)) {
        return malformed("every record must be a resource with a value");
    }
    const Records sorted = sorted_unique(input.records);
    const auto conflict = std::adjacent_find(sorted.begin(), sorted.end(),
                                             [](const auto& a, const auto& b) { return a.path.contains(b.path); });
    if (conflict != sorted.end()) return malformed("a resource has a value and instances");
    Bytes out;
    if (input.base.size() > 1) {
        write_resources(sorted, out);
        return out;
    }
    for (std::span<const Record> rest = sorted; !rest.empty();) {
        const auto group = take_group(rest, 2);
        Bytes resources;
        write_resources(group, resources);
        write_entry(Kind::object_instance, group.front().path[1], resources, out);
    }
    return out;
}

}  // namespace lanyard::lwm2m
