#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "coap/endpoint.hpp"
#include "device/object_tree.hpp"
#include "lwm2m/content_format.hpp"
#include "lwm2m/registration.hpp"

namespace lanyard::device {

struct ClientConfig {
    lwm2m::RegisterParameters registration;
    // Format of several values when the request names none, and of Send.
    lwm2m::ContentFormat preferred = lwm2m::ContentFormat::senml_cbor;
    bool confirmable_notifications = true;
    coap::EndpointConfig coap;
};

enum class ClientRequest : std::uint8_t { register_, update, deregister, send };

// What a client wants from its owner. Called from within the client's functions.
class ClientSink {
  public:
    virtual ~ClientSink() = default;
    // To the server; `datagram` is valid during the call only.
    virtual void transmit(ByteView datagram) = 0;
    // The end of a request of the client. No code: there was no answer.
    virtual void on_answer(ClientRequest request, std::optional<coap::Code> code) {
        static_cast<void>(request), static_cast<void>(code);
    }
    // A notification was acknowledged, or given up.
    virtual void on_notification(const lwm2m::Path& path, bool acknowledged) {
        static_cast<void>(path), static_cast<void>(acknowledged);
    }
};

// One LwM2M device with everything that a server can ask of it, for tests: any object tree, block-wise transfer,
// separate responses, Observe with attributes, composites, Send. Where thousands are needed take Fleet.
//
// It does what it is told and nothing by itself, but for notifications and CoAP's retransmissions: when to register
// and update is up to the owner. Does no I/O and reads no clock. Not thread-safe.
class Client {
  public:
    // The `seed` in config.coap makes tokens and message ids.
    Client(const ClientConfig& config, ObjectTree tree, ClientSink& sink, Now now);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void on_datagram(ByteView datagram, Now now);
    void on_timer(Now now);
    [[nodiscard]] std::optional<SteadyTime> next_timeout() const;

    // False when the message layer refuses to queue it, or (all but Register) when there is no registration.
    bool send_register(Now now);
    // With `lifetime_s` if given, with the object list if `with_objects`.
    bool send_update(Now now, std::optional<std::uint32_t> lifetime_s = std::nullopt, bool with_objects = false);
    bool send_deregister(Now now);
    // POST /dp with these values in the preferred format.
    bool send_data(std::span<const lwm2m::Record> records, Now now);

    // After changing values: set() notifies what is due at once.
    [[nodiscard]] ObjectTree& tree();
    void set(const lwm2m::Path& path, lwm2m::Value value, Now now);

    // "/rd/…", empty when not registered.
    [[nodiscard]] const std::string& location() const;
    [[nodiscard]] std::size_t observations() const;
    [[nodiscard]] const coap::Stats& stats() const;

  private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace lanyard::device
