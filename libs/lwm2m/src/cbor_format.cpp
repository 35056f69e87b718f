#include "cbor_reader.hpp"
#include "cbor_writer.hpp"
#include "formats.hpp"

// Plain CBOR (Content-Format 60, Core 1.2 section 7.5.3): the value of one resource.
namespace lanyard::lwm2m {

Result<void> decode_cbor(ByteView payload, RecordSink& sink) {
    CborReader reader(payload);
    const auto item = reader.next();
    if (!item) return item.error();
    auto value = reader.value(*item);
    if (!value) return value.error();
    if (!reader.at_end()) return make_error(Errc::invalid_argument, "cbor: bytes after the value");
    if (std::holds_alternative<std::monostate>(*value)) {
        return make_error(Errc::invalid_argument, "cbor: null is no value of a resource");
    }
    return sink.add(sink.context().base, std::move(*value));
}

Result<Bytes> encode_cbor(const EncodeInput& input) {
    const Value& value = input.records.front().value;
    if (std::holds_alternative<std::monostate>(value)) {
        return make_error(Errc::invalid_argument, "cbor: there is no value");
    }
    Bytes out;
    CborWriter(out).value(value, true);
    return out;
}

}  // namespace lanyard::lwm2m
