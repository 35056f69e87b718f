#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace lanyard::lwm2m {

using ObjectId = std::uint16_t;
using InstanceId = std::uint16_t;
using ResourceId = std::uint16_t;

// "No id": never part of a path (Core 1.1 section 7.3).
inline constexpr std::uint16_t kReservedId = 65535;

// Where something is in the LwM2M tree: 0 to 4 ids, /object/instance/resource/resource-instance.
//
// Size 0 is the root "/". A plain value of 10 bytes; it never holds the reserved id 65535.
class Path {
  public:
    static constexpr std::size_t kMaxSize = 4;

    constexpr Path() = default;
    // At most 4 ids, none reserved: a bug of the caller otherwise. For ids from a peer use `child`.
    Path(std::initializer_list<std::uint16_t> ids);

    // Decimal ids with or without leading slash and with at most one trailing slash: "/3303/0/5700", "3/0/", "/".
    // An empty text is the root. invalid_argument: not a number, 65535 or above, more than 4 ids, "//".
    static Result<Path> parse(std::string_view text);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool is_root() const { return size_ == 0; }
    // The id at a level below size().
    [[nodiscard]] std::uint16_t operator[](std::size_t level) const { return ids_[level]; }

    [[nodiscard]] std::optional<ObjectId> object() const { return at(0); }
    [[nodiscard]] std::optional<InstanceId> instance() const { return at(1); }
    [[nodiscard]] std::optional<ResourceId> resource() const { return at(2); }
    [[nodiscard]] std::optional<std::uint16_t> resource_instance() const { return at(3); }

    // The path one level deeper; invalid_argument when full or the id is reserved.
    [[nodiscard]] Result<Path> child(std::uint16_t id) const;
    // The first `size` ids (all of them when it is shorter).
    [[nodiscard]] Path prefix(std::size_t size) const;
    // True when `other` is this path or lies below it. The root contains everything.
    [[nodiscard]] bool contains(const Path& other) const;

    // "/3303/0/5700"; the root is "/".
    [[nodiscard]] std::string to_string() const;
    // For hash tables of this process only.
    [[nodiscard]] std::uint64_t hash() const;

    friend bool operator==(const Path& a, const Path& b) = default;
    // Depth first: a path comes before everything below it.
    friend std::strong_ordering operator<=>(const Path& a, const Path& b);

  private:
    [[nodiscard]] std::optional<std::uint16_t> at(std::size_t level) const {
        return level < size_ ? std::optional(ids_[level]) : std::nullopt;
    }

    std::array<std::uint16_t, kMaxSize> ids_{};
    std::uint8_t size_ = 0;
};

}  // namespace lanyard::lwm2m

template <>
struct std::hash<lanyard::lwm2m::Path> {
    std::size_t operator()(const lanyard::lwm2m::Path& path) const noexcept { return path.hash(); }
};
