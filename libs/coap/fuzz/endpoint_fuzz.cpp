// Drives an endpoint with a script: datagrams of two peers, time, answers, requests and notifications of ours.

#include <algorithm>
#include <vector>

#include "coap/endpoint.hpp"

namespace lanyard::coap {
namespace {

class Visitor : public EndpointVisitor {
  public:
    void transmit(const PeerId&, ByteView datagram) override { last.assign(datagram.begin(), datagram.end()); }
    void on_request(const PeerId&, const RequestView&, RequestHandle handle) override { requests.push_back(handle); }
    void on_response(std::uint64_t, const ResponseView&) override {}
    void on_request_failed(std::uint64_t, FailureReason) override {}
    void on_notification(const PeerId&, const NotificationView&, NotificationHandle handle) override {
        notifications.push_back(handle);
    }

    Bytes last;  // what was sent last: the script answers it
    std::vector<RequestHandle> requests;
    std::vector<NotificationHandle> notifications;
};

EndpointConfig small_config() {
    EndpointConfig config;
    config.szx = 0;
    config.seed = 7;
    config.limits.dedup_entries = 16;
    config.limits.replay_bytes = 256;
    config.limits.pending_requests = 4;
    config.limits.exchanges = 8;
    config.limits.exchanges_per_peer = 4;
    config.limits.peers = 2;
    config.limits.block1_transfers = 2;
    config.limits.block1_body_bytes = 100;
    config.limits.block1_total_bytes = 150;
    config.limits.block2_body_bytes = 100;
    config.limits.block2_total_bytes = 150;
    config.limits.block2_cached_bodies = 2;
    config.limits.block2_cached_bytes = 200;
    return config;
}

class Script {
  public:
    explicit Script(ByteView bytes) : reader_(bytes) {}

    void run() {
        while (reader_.remaining() > 0) step(reader_.u8());
    }

  private:
    void step(std::uint8_t command) {
        const PeerId peer{Address::v4(1U + (command >> 6 & 1), 5683), 0};
        switch (command % 8) {
            case 0:
            case 1:
                endpoint_.on_datagram(peer, reader_.take(std::min<std::size_t>(reader_.u8(), reader_.remaining())),
                                      now_);
                break;
            case 2:
                answer(peer);
                break;
            case 3:
                respond();
                break;
            case 4:
                send(peer, command);
                break;
            case 5:
                settle(command);
                break;
            case 6:
                now_.steady += std::chrono::milliseconds(reader_.u16());
                endpoint_.on_timer(now_);
                break;
            case 7:
                control(peer, command);
                break;
        }
    }
    // Bytes of the script behind the message id and token of what was sent last.
    void answer(const PeerId& peer) {
        Bytes datagram = visitor_.last;
        if (datagram.size() < 4) return;
        datagram.resize(std::min(datagram.size(), std::size_t{4} + (datagram[0] & 15U)));
        datagram[0] = static_cast<std::uint8_t>((datagram[0] & 0xcf) | (reader_.u8() & 0x30));
        datagram[1] = reader_.u8();
        const ByteView rest = reader_.take(std::min<std::size_t>(reader_.u8(), reader_.remaining()));
        datagram.insert(datagram.end(), rest.begin(), rest.end());
        endpoint_.on_datagram(peer, datagram, now_);
    }
    void respond() {
        if (visitor_.requests.empty()) return;
        Response response;
        const Bytes body(reader_.u8());
        response.payload = body;
        endpoint_.respond(visitor_.requests.back(), response, now_);
        visitor_.requests.pop_back();
    }
    void send(const PeerId& peer, std::uint8_t command) {
        const Bytes body(reader_.u8());
        if ((command & 0x08) != 0) {
            Notification notification;
            notification.payload = body;
            notification.confirmable = (command & 0x10) != 0;
            static_cast<void>(endpoint_.send_notification(peer, notification, ++cookie_, now_));
            return;
        }
        Request request;
        request.method = static_cast<Code>(1 + reader_.u8() % 7);
        request.options.path("3/0").observe(0);
        request.payload = body;
        request.confirmable = (command & 0x10) != 0;
        const PartialBody partial{body, {}, 0};
        if ((command & 0x20) != 0) request.resume = &partial;
        static_cast<void>(endpoint_.send_request(peer, request, ++cookie_, now_));
    }
    void settle(std::uint8_t command) {
        if (visitor_.notifications.empty()) return;
        const NotificationHandle handle = visitor_.notifications.back();
        visitor_.notifications.pop_back();
        (command & 0x08) != 0 ? endpoint_.ack(handle) : endpoint_.reset(handle);
    }
    void control(const PeerId& peer, std::uint8_t command) {
        const PeerId other{Address::v4(2U - (command >> 6 & 1), 5683), 0};
        switch (command >> 3 & 3) {
            case 0:
                endpoint_.rebind_peer(peer, other, now_);
                break;
            case 1:
                endpoint_.cancel_peer(peer, now_);
                break;
            default:
                endpoint_.cancel(cookie_, now_);
                break;
        }
    }

    ByteReader reader_;
    Visitor visitor_;
    Now now_{SteadyTime(std::chrono::seconds(10)), 0};
    Endpoint endpoint_{small_config(), visitor_, now_};
    std::uint64_t cookie_ = 0;
};

}  // namespace
}  // namespace lanyard::coap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    lanyard::coap::Script({data, size}).run();
    return 0;
}
