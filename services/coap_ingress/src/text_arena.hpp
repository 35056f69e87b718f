#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/flat_map.hpp"

namespace lanyard::coap_ingress {

// Where a text of at most 255 bytes lies in a TextArena: 5 bytes that fit into a device record.
struct TextRef {
    std::uint32_t at = 0;
    std::uint8_t size = 0;
};

// Short texts packed without headers. A released text's place is reused by the next one of the same length, which
// suits fleets, whose endpoint names have few lengths. Not thread-safe.
class TextArena {
  public:
    // `text` has at most 255 bytes; longer is a bug of ours.
    TextRef store(std::string_view text);
    void release(TextRef ref);
    [[nodiscard]] std::string_view view(TextRef ref) const {
        return {chunks_[ref.at / kChunkBytes].get() + ref.at % kChunkBytes, ref.size};
    }

  private:
    static constexpr std::uint32_t kChunkBytes = 65536;

    [[nodiscard]] std::uint32_t allocate(std::uint8_t size);

    std::vector<std::unique_ptr<char[]>> chunks_;
    std::uint32_t used_ = kChunkBytes;  // of the last chunk
    std::array<std::vector<std::uint32_t>, 256> free_;
};

// Texts of which there are few and which repeat (tenants, root paths), by a small number. Never shrinks; past the
// bound, 65535 texts, new ones are refused. Not thread-safe.
class Interner {
  public:
    static constexpr std::uint16_t kFull = 0xffff;

    // kFull when there is no room for another one.
    [[nodiscard]] std::uint16_t intern(std::string_view text);
    [[nodiscard]] std::string_view view(std::uint16_t number) const { return *texts_[number]; }

  private:
    std::vector<std::unique_ptr<std::string>> texts_;
    FlatMap<std::string_view, std::uint16_t> numbers_;  // keys are views of texts_
};

}  // namespace lanyard::coap_ingress
