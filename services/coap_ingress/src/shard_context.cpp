#include "shard_context.hpp"

#include <array>

#include "runtime/socket_address.hpp"

namespace lanyard::coap_ingress {

using namespace std::chrono_literals;

namespace {

// "4.04" for each code: texts that live for ever, as keys of a RateLimit must.
constexpr auto kCodeTexts = [] {
    std::array<std::array<char, 4>, 256> texts{};
    for (std::size_t code = 0; code < texts.size(); ++code) {
        const std::size_t detail = code & 0x1f;
        texts[code] = {static_cast<char>('0' + (code >> 5)), '.', static_cast<char>('0' + detail / 10),
                       static_cast<char>('0' + detail % 10)};
    }
    return texts;
}();

std::string_view text_of(coap::Code code) {
    const auto& text = kCodeTexts[static_cast<std::uint8_t>(code)];
    return {text.data(), text.size()};
}

}  // namespace

ShardContext::ShardContext(const ShardSetup& with, Now start)
    : setup(with),
      config(with.config),
      metrics(with.metrics),
      origin(start.steady),
      now(start),
      table(mix64(with.seed)),
      limit(10s),
      random_state(mix64(with.seed + 1)) {}

void ShardContext::refuse(coap::RequestHandle handle, coap::Code code, std::string_view message, std::string_view who) {
    count_refused(endpoint->peer_of(handle), code, message, who);
    coap::Response response;
    response.code = code;
    response.payload = as_bytes(message);
    endpoint->respond(handle, response, now);
}

void ShardContext::refuse_too_large(coap::RequestHandle handle, std::string_view message, std::uint32_t size_max,
                                    std::string_view who) {
    count_refused(endpoint->peer_of(handle), coap::Code::request_entity_too_large, message, who);
    coap::Response response;
    response.code = coap::Code::request_entity_too_large;
    response.options.add_uint(coap::OptionNumber::size1, size_max != 0 ? size_max : config.request_body_max);
    response.payload = as_bytes(message);
    endpoint->respond(handle, response, now);
}

void ShardContext::refuse_unavailable(coap::RequestHandle handle, std::string_view message, std::string_view who) {
    refuse_until(handle, 15 + static_cast<std::uint32_t>(random() % 31), message, who);
}

void ShardContext::refuse_until(coap::RequestHandle handle, std::uint32_t max_age_s, std::string_view message,
                                std::string_view who) {
    count_refused(endpoint->peer_of(handle), coap::Code::service_unavailable, message, who);
    coap::Response response;
    response.code = coap::Code::service_unavailable;
    response.options.max_age(max_age_s);
    response.payload = as_bytes(message);
    endpoint->respond(handle, response, now);
}

void ShardContext::count_refused(const std::optional<coap::PeerId>& peer, coap::Code code, std::string_view message,
                                 std::string_view who) {
    metrics.refused[static_cast<std::uint8_t>(code)].add();
    const std::string_view text = text_of(code);
    const auto suppressed = limit.admit(text, now.steady);
    if (!suppressed) return;
    if (who.empty() && peer) {
        bool ambiguous = false;
        const Device* device = table.find_by_peer(*peer, ambiguous);
        if (device != nullptr && !ambiguous) who = table.endpoint(*device);
    }
    setup.log.warn("request of a device refused", {{"code", text},
                                                   {"tenant", peer ? tenant_of(*peer) : std::string_view()},
                                                   {"endpoint", who},
                                                   {"peer", peer ? peer_text(*peer) : std::string()},
                                                   {"detail", message},
                                                   {"suppressed", *suppressed}});
}

void ShardContext::respond(coap::RequestHandle handle, coap::Code code) {
    coap::Response response;
    response.code = code;
    endpoint->respond(handle, response, now);
}

void ShardContext::respond(coap::RequestHandle handle, const coap::Response& response) {
    endpoint->respond(handle, response, now);
}

void ShardContext::warn(std::string_view key, std::string_view message, std::string_view detail) {
    if (const auto suppressed = limit.admit(key, now.steady)) {
        setup.log.warn(message, {{"detail", detail}, {"suppressed", *suppressed}});
    }
}

void ShardContext::warn(std::string_view key, std::string_view message, const coap::PeerId& peer) {
    if (const auto suppressed = limit.admit(key, now.steady)) {
        setup.log.warn(message, {{"peer", peer_text(peer)}, {"suppressed", *suppressed}});
    }
}

void ShardContext::warn_malformed(const coap::PeerId& peer, coap::DecodeError error) {
    const std::string_view name = coap::to_string(error);
    if (const auto suppressed = limit.admit(name, now.steady)) {
        setup.log.warn("datagram is no CoAP message",
                       {{"error", name}, {"peer", peer_text(peer)}, {"suppressed", *suppressed}});
    }
}

std::uint64_t ShardContext::random() {
    random_state += 0x9e3779b97f4a7c15ULL;
    return mix64(random_state);
}

std::string peer_text(const coap::PeerId& peer) {
    return runtime::to_string(peer.address);
}

}  // namespace lanyard::coap_ingress
