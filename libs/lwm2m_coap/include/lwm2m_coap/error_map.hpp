#pragma once

#include "base/error.hpp"
#include "coap/code.hpp"
#include "lwm2m/registration.hpp"

// The one place where our errors and CoAP codes meet. Only codes of the LwM2M tables are ever sent (conformance:
// Transport 1.2 section 6.7), and 5.03 when the device should try again.
namespace lanyard::lwm2m_coap {

// What a device gets for a failure of ours that has no table of its own (a Send, for instance).
coap::Code to_code(Errc error);

// What a device gets for a refused Register, Update or De-register.
coap::Code to_code(lwm2m::RegisterFailure failure);

// What an operation failed with when a device answers with `code`. Codes that LwM2M does not use are mapped by
// their class. Success codes give internal: ask is_success() first.
Errc to_errc(coap::Code code);

}  // namespace lanyard::lwm2m_coap
