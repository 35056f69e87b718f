#include "coap/message.hpp"
#include "lwm2m_coap/operation.hpp"
#include "lwm2m_coap/uplink.hpp"

// A datagram as a device sends it; its payload is read as Execute arguments too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    lanyard::coap::MessageView message;
    if (message.decode({data, size}) != lanyard::coap::DecodeError::none) return 0;
    static_cast<void>(lanyard::lwm2m_coap::classify(message.code(), message.options(), !message.payload().empty()));
    static_cast<void>(lanyard::lwm2m_coap::check_execute_arguments(lanyard::as_text(message.payload())));
    return 0;
}
