#pragma once

#include <span>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "lwm2m/codec.hpp"
#include "record_sink.hpp"

// One pair of functions per payload format; codec.cpp picks by number. A decoder puts what it reads into the sink,
// which knows the base path. An encoder gets records that already have the model's types and lie inside `base`.
namespace lanyard::lwm2m {

struct EncodeInput {
    const Path& base;
    std::span<const Record> records;
};

Result<void> decode_text(ByteView payload, RecordSink& sink);
Result<Bytes> encode_text(const EncodeInput& input);

Result<void> decode_opaque(ByteView payload, RecordSink& sink);
Result<Bytes> encode_opaque(const EncodeInput& input);

Result<void> decode_cbor(ByteView payload, RecordSink& sink);
Result<Bytes> encode_cbor(const EncodeInput& input);

Result<void> decode_tlv(ByteView payload, RecordSink& sink);
Result<Bytes> encode_tlv(const EncodeInput& input);

Result<void> decode_senml_json(ByteView payload, RecordSink& sink);
Result<Bytes> encode_senml_json(const EncodeInput& input);

Result<void> decode_senml_cbor(ByteView payload, RecordSink& sink);
Result<Bytes> encode_senml_cbor(const EncodeInput& input);

}  // namespace lanyard::lwm2m
