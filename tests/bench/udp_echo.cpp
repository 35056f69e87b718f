#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "coap/message.hpp"
#include "runtime/poller.hpp"
#include "runtime/signals.hpp"
#include "runtime/socket_address.hpp"
#include "runtime/udp_socket.hpp"

// The yardstick of `make bench`: sends every datagram back, recvmmsg and sendmmsg with 64 each, nothing else.
// With --coap it is the least a CoAP server can be: 2.04 to every Update, 2.01 to every Register, an ACK to every
// notification, without looking at more than it must. That shows what the loader itself can do.
//
//   lanyard-udp-echo ADDRESS:PORT [--coap]      prints the address it is bound to

namespace {

using namespace lanyard;

constexpr std::size_t kMaxAnswer = 64;

std::size_t path_segments(const coap::MessageView& request) {
    std::size_t count = 0;
    for (const coap::OptionView& option : request.options()) {
        if (option.number == coap::OptionNumber::uri_path) ++count;
    }
    return count;
}

ByteView answer(ByteView datagram, std::span<std::uint8_t> buffer) {
    coap::MessageView message;
    if (message.decode(datagram) != coap::DecodeError::none) return {};
    coap::Header header{coap::Type::acknowledgement, coap::Code::empty, message.mid()};
    if (!coap::is_request(message.code())) return coap::MessageWriter(buffer, header, coap::Token()).finish();
    const bool registers = message.code() == coap::Code::post && path_segments(message) == 1 && message.path_is("rd");
    header.code = registers ? coap::Code::created : coap::Code::changed;
    coap::MessageWriter writer(buffer, header, message.token());
    if (registers) {
        writer.option(coap::OptionNumber::location_path, as_bytes("rd"));
        writer.option(coap::OptionNumber::location_path, as_bytes("abcdefghijklmnopqrstuvwx"));
    }
    return writer.finish();
}

void serve(runtime::UdpSocket& socket, bool as_coap) {
    std::vector<runtime::Outgoing> out;
    std::vector<std::array<std::uint8_t, kMaxAnswer>> buffers(runtime::kUdpBatch);
    out.reserve(runtime::kUdpBatch);
    while (true) {
        const std::span<runtime::Received> batch = socket.recv_batch();
        if (batch.empty()) return;
        out.clear();
        for (const runtime::Received& received : batch) {
            const ByteView bytes = as_coap ? answer(received.bytes, buffers[out.size()]) : ByteView(received.bytes);
            if (!bytes.empty()) out.push_back({received.peer, {}, bytes});
        }
        static_cast<void>(socket.send_batch(out));
    }
}

}  // namespace

int main(int argc, char** argv) {
    runtime::StopSignals signals;
    const Result<Address> address = runtime::parse_address(argc > 1 ? argv[1] : "127.0.0.1:0");
    const bool as_coap = argc > 2 && std::string_view(argv[2]) == "--coap";
    if (!address) {
        std::fprintf(stderr, "usage: lanyard-udp-echo ADDRESS:PORT [--coap]\n");
        return 2;
    }
    Result<runtime::UdpSocket> socket = runtime::UdpSocket::bind(*address);
    if (!socket) {
        std::fprintf(stderr, "error: %s\n", socket.error().message.c_str());
        return 1;
    }
    std::printf("%s\n", runtime::to_string(socket->local()).c_str());
    std::fflush(stdout);
    runtime::Poller poller;
    poller.add(socket->fd(), 0);
    while (!signals.wait(Duration::zero())) {
        for (int turn = 0; turn < 20; ++turn) {
            if (!poller.wait(std::chrono::milliseconds(50)).empty()) serve(*socket, as_coap);
        }
    }
    return 0;
}
