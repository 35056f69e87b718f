// What the registry reads back: its records and outbox entries in Redis, device states in Kafka, the content of tokens.
// The first byte chooses the decoder.

#include <cstdlib>

#include "event_value.hpp"
#include "identity/sealed_token.hpp"
#include "lanyard/events/v1/lifecycle.pb.h"
#include "list_tokens.hpp"
#include "record_codec.hpp"

namespace lanyard::registry {
namespace {

constexpr SipKey kKey{1, 2, 3};

void check(bool holds) {
    if (!holds) std::abort();
}

void decode(std::uint8_t which, std::string_view raw) {
    switch (which % 6) {
        case 0:
            (void)decode_record(identity::DeviceNumber{65}, raw);
            return;
        case 1:
            if (const auto entry = decode_outbox_entry(1, raw)) {
                (void)event_values(*entry, kKey, "ingress-0", ValueFormat::json);
                (void)event_id_of(*entry);
            }
            return;
        case 2:
            (void)decode_device_state(raw, kJsonType);
            return;
        case 3:
            (void)decode_device_state(raw, kProtobufType);
            return;
        case 4: {
            const auto token = identity::seal(kKey, identity::TokenKind::device_page, 1, as_bytes(raw));
            (void)parse_page_token(kKey, 1, token);
            return;
        }
        default: {
            const auto token = identity::seal(kKey, identity::TokenKind::device_watch, 1, as_bytes(raw));
            if (const auto position = parse_resume_token(kKey, 1, token)) {
                check(parse_resume_token(kKey, 1, make_resume_token(kKey, 1, *position)).value() == *position);
            }
        }
    }
}

}  // namespace
}  // namespace lanyard::registry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    lanyard::registry::decode(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
}
