#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hex.hpp"
#include "coap/endpoint.hpp"

namespace lanyard::coap {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline const PeerId kPeer{Address::v4(0x0a000001, 5683), 0};
inline const PeerId kOther{Address::v4(0x0a000002, 5683), 0};

// Copies of what a visitor was told.
struct SeenRequest {
    PeerId peer;
    Code method{};
    std::string path;
    Bytes payload;
    RequestHandle handle;
};
struct SeenResponse {
    std::uint64_t cookie = 0;
    Code code{};
    std::string payload;
    std::optional<std::uint32_t> observe;
};
struct SeenNotification {
    PeerId peer;
    Token token;
    std::string payload;
    std::optional<std::uint32_t> observe;
    std::optional<BlockOption> block2;
    Bytes etag;
    NotificationHandle handle;
};
struct SeenFailure {
    std::uint64_t cookie = 0;
    FailureReason reason{};
};

// Records everything.
class Recorder : public EndpointVisitor {
  public:
    void transmit(const PeerId& peer, ByteView datagram) override {
        sent.emplace_back(datagram.begin(), datagram.end());
        sent_to.push_back(peer);
    }
    void on_request(const PeerId& peer, const RequestView& request, RequestHandle handle) override {
        requests.push_back({peer, request.method(), request.message.path(),
                            Bytes(request.payload.begin(), request.payload.end()), handle});
    }
    void on_refused(const PeerId&, Code code, std::string_view reason) override {
        refused.emplace_back(code, std::string(reason));
    }
    void on_response(std::uint64_t cookie, const ResponseView& response) override {
        responses.push_back({cookie, response.code(), lanyard::to_string(response.payload), response.observe});
    }
    void on_request_failed(std::uint64_t cookie, FailureReason reason) override {
        failures.push_back({cookie, reason});
    }
    void on_notification(const PeerId& peer, const NotificationView& view, NotificationHandle handle) override {
        const ByteView etag = view.message.find(OptionNumber::etag).value_or(ByteView());
        notifications.push_back({peer, view.token(), lanyard::to_string(view.payload), view.observe, view.block2,
                                 Bytes(etag.begin(), etag.end()), handle});
    }
    void on_notification_acknowledged(std::uint64_t cookie) override { acknowledged.push_back(cookie); }
    void on_notification_failed(std::uint64_t cookie, FailureReason reason) override {
        failures.push_back({cookie, reason});
    }
    void on_reset(const PeerId&, std::uint16_t mid) override { resets.push_back(mid); }

    // The datagrams sent since the last call, in hex.
    std::vector<std::string> take_sent() {
        std::vector<std::string> hex;
        for (const Bytes& datagram : sent) hex.push_back(to_hex(datagram));
        sent.clear();
        sent_to.clear();
        return hex;
    }

    std::vector<Bytes> sent;
    std::vector<PeerId> sent_to;
    std::vector<SeenRequest> requests;
    std::vector<std::pair<Code, std::string>> refused;
    std::vector<SeenResponse> responses;
    std::vector<SeenFailure> failures;
    std::vector<SeenNotification> notifications;
    std::vector<std::uint64_t> acknowledged;
    std::vector<std::uint16_t> resets;
};

// One endpoint, what it did, and a clock that only the test moves.
class EndpointTest : public testing::Test {
  protected:
    using Sent = std::vector<std::string>;

    static EndpointConfig config_with_seed(std::uint64_t seed) {
        EndpointConfig config;
        config.seed = seed;
        config.limits.replay_bytes = 65536;
        return config;
    }
    void use(const EndpointConfig& config) { endpoint_ = std::make_unique<Endpoint>(config, seen_, now_); }

    void SetUp() override { use(config_with_seed(1)); }

    void receive(std::string_view hex, const PeerId& peer = kPeer) {
        endpoint_->on_datagram(peer, from_hex(hex).value(), now_);
    }
    // Runs every timer until `duration` has passed.
    void pass(Duration duration) {
        const SteadyTime until = now_.steady + duration;
        for (;;) {
            const std::optional<SteadyTime> next = endpoint_->next_timeout();
            if (!next || *next > until) break;
            now_.steady = std::max(now_.steady, *next);
            endpoint_->on_timer(now_);
        }
        now_.steady = until;
        endpoint_->on_timer(now_);
    }
    bool respond(RequestHandle handle, Code code, std::string_view payload = {}) {
        Response response;
        response.code = code;
        response.payload = as_bytes(payload);
        return endpoint_->respond(handle, response, now_);
    }
    SendStatus get(std::string_view path, std::uint64_t cookie, const PeerId& peer = kPeer) {
        Request request;
        request.options.path(path);
        request.token = Token::from_u64(cookie);
        return endpoint_->send_request(peer, request, cookie, now_);
    }
    // Of a datagram that lives on.
    static MessageView view_of(const Bytes& datagram) {
        MessageView view;
        EXPECT_EQ(view.decode(datagram), DecodeError::none);
        return view;
    }
    // The message id of a datagram, four hex digits.
    static std::string mid_of(const std::string& hex) { return hex.substr(4, 4); }
    static std::string token_hex(std::uint64_t cookie) { return to_hex(Token::from_u64(cookie).bytes()); }
    const Stats& stats() { return endpoint_->stats(); }

    Now now_{SteadyTime(seconds(100)), 0};
    Recorder seen_;
    std::unique_ptr<Endpoint> endpoint_;
};

}  // namespace lanyard::coap
