#include "shard_context.hpp"

#include "runtime/socket_address.hpp"

namespace lanyard::coap_ingress {

using namespace std::chrono_literals;

ShardContext::ShardContext(const ShardSetup& with, Now start)
    : setup(with),
      config(with.config),
      metrics(with.metrics),
      origin(start.steady),
      now(start),
      table(mix64(with.seed)),
      limit(10s),
      random_state(mix64(with.seed + 1)) {}

void ShardContext::refuse(coap::RequestHandle handle, coap::Code code, std::string_view message) {
    count_refused(code, message);
    coap::Response response;
    response.code = code;
    response.payload = as_bytes(message);
    endpoint->respond(handle, response, now);
}

void ShardContext::refuse_too_large(coap::RequestHandle handle, std::string_view message, std::uint32_t size_max) {
    count_refused(coap::Code::request_entity_too_large, message);
    coap::Response response;
    response.code = coap::Code::request_entity_too_large;
    response.options.add_uint(coap::OptionNumber::size1, size_max != 0 ? size_max : config.request_body_max);
    response.payload = as_bytes(message);
    endpoint->respond(handle, response, now);
}

void ShardContext::count_refused(coap::Code code, std::string_view message) {
    metrics.refused[static_cast<std::uint8_t>(code)].add();
    warn("refused", "request of a device refused", message);
}

void ShardContext::refuse_unavailable(coap::RequestHandle handle, std::string_view message) {
    refuse_until(handle, 15 + static_cast<std::uint32_t>(random() % 31), message);
}

void ShardContext::refuse_until(coap::RequestHandle handle, std::uint32_t max_age_s, std::string_view message) {
    metrics.refused[static_cast<std::uint8_t>(coap::Code::service_unavailable)].add();
    warn("unavailable", "request of a device not served now", message);
    coap::Response response;
    response.code = coap::Code::service_unavailable;
    response.options.max_age(max_age_s);
    response.payload = as_bytes(message);
    endpoint->respond(handle, response, now);
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

std::uint64_t ShardContext::random() {
    random_state += 0x9e3779b97f4a7c15ULL;
    return mix64(random_state);
}

std::string peer_text(const coap::PeerId& peer) {
    return runtime::to_string(peer.address);
}

}  // namespace lanyard::coap_ingress
