#include "links_memo.hpp"

#include <functional>
#include <string_view>

namespace lanyard::coap_ingress {

std::size_t LinksMemo::place_of(ByteView links) {
    return std::hash<std::string_view>{}(as_text(links)) % kPlaces;
}

std::optional<std::uint16_t> LinksMemo::find(ByteView links, lwm2m::Version version) const {
    if (links.empty() || links.size() > kBytesMax) return std::nullopt;
    const Entry& entry = entries_[place_of(links)];
    if (entry.version != version || entry.links != as_text(links)) return std::nullopt;
    return entry.objects;
}

void LinksMemo::keep(ByteView links, lwm2m::Version version, std::uint16_t objects) {
    if (links.empty() || links.size() > kBytesMax) return;
    entries_[place_of(links)] = {to_string(links), version, objects};
}

}  // namespace lanyard::coap_ingress
