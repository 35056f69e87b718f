#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "coap/code.hpp"
#include "coap/message.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/limits.hpp"

namespace lanyard::lwm2m_coap {

// What a device may ask of a server (Transport 1.2 section 6.4.3 and 6.4.6).
enum class UplinkKind : std::uint8_t {
    register_,   // POST /rd
    update,      // POST /rd/{location}; PUT too, as some 1.0 clients send it
    deregister,  // DELETE /rd/{location}
    send,        // POST /dp
};

std::string_view to_string(UplinkKind kind);

// A request of a device, taken apart. All texts are views of the message.
class Uplink {
  public:
    UplinkKind kind = UplinkKind::register_;
    // The segment after /rd; empty for Register and Send.
    std::string_view location{};
    std::optional<lwm2m::ContentFormat> format{};

    // The Uri-Query options in their order, for lwm2m::parse_register and parse_update.
    [[nodiscard]] std::span<const std::string_view> query() const { return {query_.data(), query_size_}; }
    // False when there are more than kMaxQueryParameters.
    bool add_query(std::string_view argument);

  private:
    std::array<std::string_view, lwm2m::kMaxQueryParameters> query_{};
    std::size_t query_size_ = 0;
};

// Either a request to serve, or the code and the diagnostic text of its refusal.
struct UplinkResult {
    std::optional<Uplink> uplink{};
    coap::Code refusal = coap::Code::empty;
    std::string_view reason{};

    explicit operator bool() const { return uplink.has_value(); }
};

// Classifies a request by path, method and Content-Format; does not look into query or payload and allocates
// nothing. `has_payload` is whether the (reassembled) body has bytes.
//
// Refused: 4.04 any other path, 4.05 any other method there, 4.15 a Register or Update payload that is not link
// format (without Content-Format it is taken as that) or a Send that is neither SenML JSON nor SenML CBOR, 4.00 a
// Send without Content-Format or payload or more than kMaxQueryParameters.
[[nodiscard]] UplinkResult classify(coap::Code method, const coap::OptionRange& options, bool has_payload);

}  // namespace lanyard::lwm2m_coap
