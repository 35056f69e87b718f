#include "text_arena.hpp"

#include <cstring>
#include <string>

#include "base/assert.hpp"

namespace lanyard::coap_ingress {

TextRef TextArena::store(std::string_view text) {
    LANYARD_ASSERT(text.size() <= 255);
    const auto size = static_cast<std::uint8_t>(text.size());
    const TextRef ref{allocate(size), size};
    if (size != 0) std::memcpy(chunks_[ref.at / kChunkBytes].get() + ref.at % kChunkBytes, text.data(), size);
    return ref;
}

void TextArena::release(TextRef ref) {
    free_[ref.size].push_back(ref.at);
}

std::uint32_t TextArena::allocate(std::uint8_t size) {
    if (auto& reusable = free_[size]; !reusable.empty()) {
        const std::uint32_t at = reusable.back();
        reusable.pop_back();
        return at;
    }
    if (used_ + size > kChunkBytes || chunks_.empty()) {
        LANYARD_ASSERT(chunks_.size() < 65535);
        chunks_.push_back(std::make_unique<char[]>(kChunkBytes));
        used_ = 0;
    }
    const auto at = static_cast<std::uint32_t>((chunks_.size() - 1) * kChunkBytes + used_);
    used_ += size;
    return at;
}

std::uint16_t Interner::intern(std::string_view text) {
    if (const std::uint16_t* known = numbers_.find(text)) return *known;
    if (texts_.size() >= kFull) return kFull;
    const auto number = static_cast<std::uint16_t>(texts_.size());
    texts_.push_back(std::make_unique<std::string>(text));
    numbers_.try_emplace(std::string_view(*texts_.back()), number);
    return number;
}

}  // namespace lanyard::coap_ingress
