#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/hex.hpp"
#include "coap/endpoint.hpp"

namespace lanyard::coap {
namespace {

const Bytes kUpdate = from_hex("4402000200000001b272640435613366496c743d363030303030").value();

void BM_Decode(benchmark::State& state) {
    for (auto _ : state) {
        MessageView view;
        benchmark::DoNotOptimize(view.decode(kUpdate));
        benchmark::DoNotOptimize(view);
    }
}
BENCHMARK(BM_Decode);

void BM_Encode(benchmark::State& state) {
    Options options;
    options.path("rd/5a3f").query("lt=600000");
    std::array<std::uint8_t, 128> buffer;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            encode(buffer, {Type::confirmable, Code::post, 2}, Token::from_u64(1), options).size());
    }
}
BENCHMARK(BM_Encode);

// Answers every request and accepts every notification at once.
class Answering : public EndpointVisitor {
  public:
    void transmit(const PeerId&, ByteView datagram) override { bytes += datagram.size(); }
    void on_request(const PeerId&, const RequestView&, RequestHandle handle) override {
        Response response;
        response.code = Code::changed;
        endpoint->respond(handle, response, now);
    }
    void on_response(std::uint64_t, const ResponseView&) override { ++answered; }
    void on_request_failed(std::uint64_t, FailureReason) override {}
    void on_notification(const PeerId&, const NotificationView&, NotificationHandle handle) override {
        endpoint->ack(handle);
    }

    Endpoint* endpoint = nullptr;
    Now now{SteadyTime(std::chrono::seconds(1)), 0};
    std::size_t bytes = 0;
    std::size_t answered = 0;
};

std::vector<PeerId> peers(std::size_t count) {
    std::vector<PeerId> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back({Address::v4(0x0a000000U + static_cast<std::uint32_t>(i), 5683), 0});
    }
    std::shuffle(all.begin(), all.end(), std::mt19937(5));
    return all;
}

// Confirmable messages of `range` devices in turn, 50,000 in a second, so that the table of remembered messages
// reaches its bound of a million and forgetting is part of the cost.
void receive_from_all(benchmark::State& state, Bytes datagram) {
    Answering visitor;
    EndpointConfig config;
    config.seed = 1;
    Endpoint endpoint(config, visitor, visitor.now);
    visitor.endpoint = &endpoint;
    const std::vector<PeerId> all = peers(static_cast<std::size_t>(state.range(0)));
    std::size_t at = 0;
    std::uint16_t mid = 0;
    const auto next = [&] {
        if (++at == all.size()) at = 0, ++mid;
        datagram[2] = static_cast<std::uint8_t>(mid >> 8);
        datagram[3] = static_cast<std::uint8_t>(mid);
        visitor.now.steady += std::chrono::microseconds(20);
        endpoint.on_datagram(all[at], datagram, visitor.now);
    };
    for (std::size_t i = 0; i < config.limits.dedup_entries + 1000; ++i) next();
    for (auto _ : state) next();
    state.SetItemsProcessed(state.iterations());
}

void BM_UpdateRound(benchmark::State& state) {
    receive_from_all(state, kUpdate);
}
BENCHMARK(BM_UpdateRound)->Arg(1000)->Arg(100'000)->Arg(1'000'000);

void BM_NotificationRound(benchmark::State& state) {
    receive_from_all(state, from_hex("484500010102030405060708610c6170ff8182000102030405").value());
}
BENCHMARK(BM_NotificationRound)->Arg(1000)->Arg(100'000);

// A request of ours and its piggybacked answer.
void BM_RequestRound(benchmark::State& state) {
    class Echoing : public Answering {
      public:
        void transmit(const PeerId&, ByteView datagram) override {
            std::copy_n(datagram.begin(), 12, answer.begin());
            answer[0] = 0x68;
            answer[1] = static_cast<std::uint8_t>(Code::content);
        }
        std::array<std::uint8_t, 12> answer{};
    };
    Echoing visitor;
    Endpoint endpoint({}, visitor, visitor.now);
    const std::vector<PeerId> all = peers(static_cast<std::size_t>(state.range(0)));
    std::size_t at = 0;
    std::uint64_t cookie = 0;
    for (auto _ : state) {
        if (++at == all.size()) at = 0;
        visitor.now.steady += std::chrono::microseconds(20);
        Request request;
        request.options.path("3303/0/5700");
        static_cast<void>(endpoint.send_request(all[at], request, ++cookie, visitor.now));
        endpoint.on_datagram(all[at], visitor.answer, visitor.now);
    }
    if (visitor.answered != cookie) state.SkipWithError("requests without an answer");
}
BENCHMARK(BM_RequestRound)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace lanyard::coap
