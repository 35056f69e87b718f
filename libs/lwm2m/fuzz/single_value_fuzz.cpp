#include "decode_fuzz.hpp"

// The first byte picks the format and the resource, hence the type; the rest is the payload. The same bytes are
// read as a path too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using lanyard::lwm2m::ContentFormat;
    using lanyard::lwm2m::Path;
    if (size == 0) return 0;
    // string, integer, time, float, boolean, opaque, object link, unsigned, unknown
    static const Path kBases[] = {{3, 0, 0}, {3, 0, 9},  {3, 0, 13},  {3303, 0, 5700}, {1, 0, 6},
                                  {5, 0, 0}, {65, 0, 0}, {10, 0, 14}, {40000, 0, 0}};
    static constexpr ContentFormat kFormats[] = {ContentFormat::text, ContentFormat::cbor, ContentFormat::opaque};
    const lanyard::ByteView payload{data + 1, size - 1};
    const ContentFormat format = kFormats[data[0] % std::size(kFormats)];
    lanyard::lwm2m::decode_and_back(format, kBases[data[0] / 3 % std::size(kBases)], payload);

    const auto path = Path::parse(lanyard::as_text(payload));
    if (path) LANYARD_ASSERT(Path::parse(path->to_string()).value() == *path);
    return 0;
}
