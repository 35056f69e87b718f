#include "decode_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    lanyard::lwm2m::decode_and_back(lanyard::lwm2m::ContentFormat::senml_cbor, {}, {data, size});
    return 0;
}
