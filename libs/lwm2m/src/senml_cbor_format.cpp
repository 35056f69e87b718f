#include <cmath>

#include "cbor_reader.hpp"
#include "cbor_writer.hpp"
#include "formats.hpp"
#include "lwm2m/limits.hpp"
#include "senml.hpp"

// SenML CBOR (Content-Format 112): an array of maps with integer labels, RFC 8428 section 6.
namespace lanyard::lwm2m {
namespace {

constexpr std::int64_t kBaseName = -2;
constexpr std::int64_t kName = 0;
constexpr std::int64_t kTime = 6;

Error malformed(const char* what) {
    return make_error(Errc::invalid_argument, std::string("senml cbor: ") + what);
}

// RFC 8428 section 6, table 4. Base unit, base sum, unit, sum and update time mean nothing to LwM2M.
SenmlField field_of_label(std::int64_t label) {
    switch (label) {
        case -1:
            return SenmlField::base_version;
        case kBaseName:
            return SenmlField::base_name;
        case -3:
            return SenmlField::base_time;
        case -5:
            return SenmlField::base_value;
        case kName:
            return SenmlField::name;
        case 2:
            return SenmlField::number;
        case 3:
            return SenmlField::text;
        case 4:
            return SenmlField::boolean;
        case kTime:
            return SenmlField::time;
        case 8:
            return SenmlField::data;
        default:
            return SenmlField::other;
    }
}

Result<SenmlField> read_field(CborReader& reader) {
    const auto key = reader.next();
    if (!key) return key.error();
    if (key->kind == CborKind::text) {
        const auto field = senml_field(as_text(key->content));
        if (!field) return malformed("a field that must be understood is not known");
        return *field;
    }
    if (key->kind != CborKind::unsigned_number && key->kind != CborKind::negative_number) {
        return malformed("a label is a number or text");
    }
    const auto label = reader.value(*key);
    if (!label) return label.error();
    const auto* number = std::get_if<std::int64_t>(&*label);
    return number ? field_of_label(*number) : SenmlField::other;
}

Result<SenmlRecord> read_record(CborReader& reader) {
    const auto map = reader.next();
    if (!map) return map.error();
    if (map->kind != CborKind::map) return malformed("a record is a map");
    SenmlRecord record;
    std::uint64_t left = map->argument;
    for (std::size_t members = 0;; ++members) {
        const auto more = reader.more(*map, left);
        if (!more) return more.error();
        if (!*more) return record;
        if (members == kMaxRecordMembers) return make_error(Errc::too_large, "senml cbor: too many fields");
        const auto field = read_field(reader);
        if (!field) return field.error();
        const auto item = reader.next();
        if (!item) return item.error();
        if (*field == SenmlField::other) {
            if (auto skipped = reader.skip(*item); !skipped) return skipped.error();
            continue;
        }
        auto value = reader.value(*item);
        if (!value) return value.error();
        if (auto set = record.set(*field, std::move(*value)); !set) return set.error();
    }
}

// The label of a value; -1 for what is written with a text key.
std::int64_t label_of(const Value& value) {
    switch (type_of(value)) {
        case ValueType::string:
        case ValueType::core_link:
            return 3;
        case ValueType::boolean:
            return 4;
        case ValueType::opaque:
            return 8;
        default:
            return 2;
    }
}

void write_value(const Value& value, CborWriter& out) {
    if (std::holds_alternative<std::monostate>(value)) return;
    if (std::holds_alternative<ObjectLink>(value)) {
        out.text("vlo");
    } else {
        out.integer(label_of(value));
    }
    out.value(value);
}

void write_record(const SenmlOutput& record, CborWriter& out) {
    const bool has_value = !std::holds_alternative<std::monostate>(*record.value);
    out.map((record.base_name ? 1U : 0U) + (record.name.empty() ? 0U : 1U) + (has_value ? 1U : 0U) +
            (record.time ? 1U : 0U));
    if (record.base_name) {
        out.integer(kBaseName);
        out.text(*record.base_name);
    }
    if (!record.name.empty()) {
        out.integer(kName);
        out.text(record.name);
    }
    write_value(*record.value, out);
    if (record.time) {
        out.integer(kTime);
        const double seconds = *record.time;
        const bool whole = std::trunc(seconds) == seconds;
        out.value(whole ? Value(static_cast<std::int64_t>(seconds)) : Value(seconds));
    }
}

}  // namespace

Result<void> decode_senml_cbor(ByteView payload, RecordSink& sink) {
    CborReader reader(payload);
    const auto array = reader.next();
    if (!array) return array.error();
    if (array->kind != CborKind::array) return malformed("a pack is an array");
    SenmlResolver resolver(sink);
    std::uint64_t left = array->argument;
    while (true) {
        const auto more = reader.more(*array, left);
        if (!more) return more.error();
        if (!*more) break;
        auto record = read_record(reader);
        if (!record) return record.error();
        if (auto added = resolver.add(std::move(*record)); !added) return added;
    }
    if (!reader.at_end()) return malformed("bytes after the pack");
    return {};
}

Result<Bytes> encode_senml_cbor(const EncodeInput& input) {
    const auto records = senml_outputs(input.base, input.records);
    if (!records) return records.error();
    Bytes bytes;
    CborWriter out(bytes);
    out.array(records->size());
    for (const auto& record : *records) write_record(record, out);
    return bytes;
}

}  // namespace lanyard::lwm2m
