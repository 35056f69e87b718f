#include "lwm2m/codec.hpp"

#include <array>

#include "formats.hpp"
#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m {
namespace {

struct Codec {
    ContentFormat format;
    Result<void> (*decode)(ByteView, RecordSink&);
    Result<Bytes> (*encode)(const EncodeInput&);
};

constexpr std::array kCodecs{
    Codec{ContentFormat::text, decode_text, encode_text},
    Codec{ContentFormat::old_text, decode_text, encode_text},
    Codec{ContentFormat::opaque, decode_opaque, encode_opaque},
    Codec{ContentFormat::old_opaque, decode_opaque, encode_opaque},
    Codec{ContentFormat::cbor, decode_cbor, encode_cbor},
    Codec{ContentFormat::tlv, decode_tlv, encode_tlv},
    Codec{ContentFormat::old_tlv, decode_tlv, encode_tlv},
    Codec{ContentFormat::senml_json, decode_senml_json, encode_senml_json},
    Codec{ContentFormat::senml_cbor, decode_senml_cbor, encode_senml_cbor},
};

const Codec* find_codec(ContentFormat format) {
    for (const auto& codec : kCodecs) {
        if (codec.format == format) return &codec;
    }
    return nullptr;
}

Error no_codec(ContentFormat format) {
    return make_error(Errc::unsupported, "content format " + std::to_string(number_of(format)) + " is not supported");
}

Result<void> check_single(const Path& base, ContentFormat format) {
    if (base.size() >= 3) return {};
    return make_error(Errc::invalid_argument,
                      std::string(to_string(format)) + " carries one resource, not " + base.to_string());
}

Result<Records> typed(const Path& base, std::span<const Record> records, const ModelView& models) {
    Records result;
    result.reserve(records.size());
    for (const auto& record : records) {
        if (!base.contains(record.path)) {
            return make_error(Errc::invalid_argument, record.path.to_string() + " is outside " + base.to_string());
        }
        auto value = convert(record.value, model_type(models, record.path).value_or(ValueType::none));
        if (!value && !std::holds_alternative<std::monostate>(record.value)) {
            return make_error(value.error().code, record.path.to_string() + ": " + value.error().message);
        }
        result.push_back({record.path, value ? std::move(*value) : Value(), record.time});
    }
    return result;
}

}  // namespace

bool is_supported(ContentFormat format) {
    return find_codec(format) != nullptr;
}

Result<Records> decode(ContentFormat format, ByteView payload, const DecodeContext& context) {
    const Codec* codec = find_codec(format);
    if (!codec) return no_codec(format);
    if (payload.size() > kMaxPayloadBytes) return make_error(Errc::too_large, "payload: over the limit");
    const bool structured = is_structured(format);
    if (structured && payload.empty()) return Records{};
    if (!structured) {
        if (auto single = check_single(context.base, format); !single) return single.error();
    }
    RecordSink sink(context);
    if (auto done = codec->decode(payload, sink); !done) return done.error();
    return sink.take();
}

Result<Bytes> encode(ContentFormat format, const Path& base, std::span<const Record> records, const ModelView& models) {
    const Codec* codec = find_codec(format);
    if (!codec) return no_codec(format);
    auto checked = typed(base, records, models);
    if (!checked) return checked.error();
    if (!is_structured(format)) {
        if (auto single = check_single(base, format); !single) return single.error();
        if (checked->size() != 1 || checked->front().path != base) {
            return make_error(Errc::invalid_argument, base.to_string() + ": exactly one value is needed");
        }
    }
    return codec->encode({base, *checked});
}

}  // namespace lanyard::lwm2m
