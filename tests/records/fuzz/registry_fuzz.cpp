// What the registry reads back: its records and outbox entries in Redis, device states in Kafka, the content of tokens.
// The first byte chooses the decoder.

#include <algorithm>
#include <cstdlib>
#include <vector>

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

// The first byte tells the limit of events and whether the list ends here; an element is a length byte and as many
// bytes.
void read_outbox(std::string_view raw) {
    if (raw.empty()) return;
    const auto first = static_cast<std::uint8_t>(raw[0]);
    std::vector<std::string_view> elements;
    for (raw.remove_prefix(1); !raw.empty();) {
        const std::size_t size = std::min<std::size_t>(static_cast<std::uint8_t>(raw[0]), raw.size() - 1);
        elements.push_back(raw.substr(1, size));
        raw.remove_prefix(1 + size);
    }
    const bool all = first % 2 == 1;
    const std::size_t max = 1 + first / 2;
    const OutboxEvents events = decode_outbox(1, elements, max, all);
    check(events.elements <= elements.size());
    check(events.entries.size() + events.unreadable <= events.elements);
    check(!all || elements.empty() || events.elements > 0);
    for (const OutboxEntry& entry : events.entries) {
        (void)event_values(entry, kKey, "ingress-0", ValueFormat::json);
        (void)event_id_of(entry);
    }
}

void decode(std::uint8_t which, std::string_view raw) {
    switch (which % 6) {
        case 0:
            (void)decode_record(identity::DeviceNumber{65}, raw);
            return;
        case 1:
            read_outbox(raw);
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
