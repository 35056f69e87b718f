// Decodes anything; what decodes is encoded again and must decode to the same message.

#include <algorithm>
#include <cstdlib>

#include "coap/message.hpp"
#include "request_scan.hpp"

namespace lanyard::coap {
namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void round_trip(const MessageView& view, std::size_t size) {
    Bytes buffer(size + 8);
    MessageWriter writer(buffer, {view.type(), view.code(), view.mid()}, view.token());
    for (const OptionView& option : view.options()) writer.option(option.number, option.value);
    writer.payload(view.payload());
    MessageView again;
    // Encoding may be shorter than what came in (options with needless long forms), never longer.
    check(!writer.finish().empty() && writer.finish().size() <= size);
    check(again.decode(writer.finish()) == DecodeError::none);
    check(again.code() == view.code() && again.mid() == view.mid() && again.token() == view.token());
    check(std::ranges::equal(again.payload(), view.payload()));
    OptionRange::Iterator other = again.options().begin();
    for (const OptionView& option : view.options()) {
        check(other->number == option.number && std::ranges::equal(other->value, option.value));
        ++other;
    }
}

}  // namespace
}  // namespace lanyard::coap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lanyard::coap;
    MessageView view;
    if (view.decode({data, size}) != DecodeError::none) return 0;
    round_trip(view, size);
    static_cast<void>(view.path());
    static_cast<void>(view.content_format());
    static_cast<void>(view.observe());
    static_cast<void>(scan_request(view));
    static_cast<void>(has_bad_option(view));
    return 0;
}
