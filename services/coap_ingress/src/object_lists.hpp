#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "text_arena.hpp"

namespace lanyard::coap_ingress {

// The object ids that devices register, by a small number: a fleet has few different lists. Never shrinks; a list of
// more than kIdsMax ids or none (an older registry tells none), and any new one past the bound of Interner, is not
// kept. Not thread-safe.
class ObjectLists {
  public:
    static constexpr std::size_t kIdsMax = 64;
    static constexpr std::uint16_t kNotKept = Interner::kFull;

    // `ids` ascend.
    [[nodiscard]] std::uint16_t intern(std::span<const std::uint32_t> ids);
    // True for a list that is not kept.
    [[nodiscard]] bool contains(std::uint16_t list, std::uint16_t id) const;

  private:
    Interner lists_;    // two bytes for each id, high byte first
    std::string text_;  // reused
};

}  // namespace lanyard::coap_ingress
