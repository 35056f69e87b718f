#include "decode_fuzz.hpp"

// The first byte picks the base path, the rest is the payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using lanyard::lwm2m::Path;
    if (size == 0) return 0;
    static const Path kBases[] = {{3}, {3, 0}, {3, 0, 6}, {3, 0, 6, 1}, {40000, 1}, {3303, 0}};
    const Path& base = kBases[data[0] % std::size(kBases)];
    lanyard::lwm2m::decode_and_back(lanyard::lwm2m::ContentFormat::tlv, base, {data + 1, size - 1});
    return 0;
}
