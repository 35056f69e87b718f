#include <cmath>

#include "base/base64.hpp"
#include "base/utf8.hpp"
#include "formats.hpp"
#include "number_text.hpp"

// Plain text (Content-Format 0, Core 1.2 appendix C) and opaque (42): the value of one resource.
namespace lanyard::lwm2m {
namespace {

template <class T>
Result<Value> number(std::optional<T> parsed) {
    if (!parsed) return make_error(Errc::invalid_argument, "text: not a number of the resource's type");
    return Value(*parsed);
}

Result<Value> boolean(std::string_view text) {
    if (text == "1") return Value(true);
    if (text == "0") return Value(false);
    return make_error(Errc::invalid_argument, "text: a boolean must be 0 or 1");
}

Result<Value> value_of(std::string_view text, ValueType type) {
    switch (type) {
        case ValueType::integer:
            return number(parse_int64(text));
        case ValueType::unsigned_integer:
            return number(parse_uint64(text));
        case ValueType::floating:
            return number(parse_double(text));
        case ValueType::boolean:
            return boolean(text);
        case ValueType::time: {
            const auto seconds = parse_int64(text);
            return number(seconds ? std::optional(Time{*seconds}) : std::nullopt);
        }
        case ValueType::opaque: {
            auto bytes = from_base64(text);
            if (!bytes) return bytes.error();
            return Value(std::move(*bytes));
        }
        case ValueType::object_link: {
            const auto link = ObjectLink::parse(text);
            if (!link) return link.error();
            return Value(*link);
        }
        default:
            return Value(std::string(text));
    }
}

}  // namespace

Result<void> decode_text(ByteView payload, RecordSink& sink) {
    const Path& path = sink.context().base;
    auto value = value_of(as_text(payload), sink.type_of(path).value_or(ValueType::string));
    if (!value) return make_error(value.error().code, path.to_string() + ": " + value.error().message);
    return sink.add(path, std::move(*value));
}

Result<Bytes> encode_text(const EncodeInput& input) {
    const Value& value = input.records.front().value;
    std::string text = to_display(value);
    if (const auto* real = std::get_if<double>(&value)) {
        if (!std::isfinite(*real)) return make_error(Errc::invalid_argument, "text: not a finite number");
        text = plain_decimal(*real);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
        text = *flag ? "1" : "0";
    } else if (std::holds_alternative<std::monostate>(value)) {
        return make_error(Errc::invalid_argument, "text: there is no value");
    }
    const ByteView bytes = as_bytes(text);
    return Bytes(bytes.begin(), bytes.end());
}

Result<void> decode_opaque(ByteView payload, RecordSink& sink) {
    return sink.add(sink.context().base, Bytes(payload.begin(), payload.end()));
}

Result<Bytes> encode_opaque(const EncodeInput& input) {
    const auto* bytes = std::get_if<Bytes>(&input.records.front().value);
    if (!bytes) return make_error(Errc::invalid_argument, "opaque: the value is not of type opaque");
    return *bytes;
}

}  // namespace lanyard::lwm2m
