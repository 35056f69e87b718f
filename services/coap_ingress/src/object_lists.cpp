#include "object_lists.hpp"

#include <string_view>

namespace lanyard::coap_ingress {
namespace {

std::uint16_t id_at(std::string_view list, std::size_t index) {
    const auto high = static_cast<std::uint8_t>(list[2 * index]);
    const auto low = static_cast<std::uint8_t>(list[2 * index + 1]);
    return static_cast<std::uint16_t>(high << 8 | low);
}

}  // namespace

std::uint16_t ObjectLists::intern(std::span<const std::uint32_t> ids) {
    if (ids.empty() || ids.size() > kIdsMax) return kNotKept;
    text_.clear();
    for (const std::uint32_t id : ids) {
        text_.push_back(static_cast<char>(id >> 8 & 0xff));
        text_.push_back(static_cast<char>(id & 0xff));
    }
    return lists_.intern(text_);
}

bool ObjectLists::contains(std::uint16_t list, std::uint16_t id) const {
    if (list == kNotKept) return true;
    const std::string_view ids = lists_.view(list);
    std::size_t low = 0;
    std::size_t high = ids.size() / 2;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (id_at(ids, middle) < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 2 * low < ids.size() && id_at(ids, low) == id;
}

}  // namespace lanyard::coap_ingress
