#include "lwm2m/path.hpp"

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace lanyard::lwm2m {
namespace {

Error bad_path(std::string_view text) {
    constexpr std::size_t kShown = 64;
    return make_error(Errc::invalid_argument, "path \"" + std::string(text.substr(0, kShown)) +
                                                  "\": must be up to four ids of 0 to 65534 separated by '/'");
}

}  // namespace

Path::Path(std::initializer_list<std::uint16_t> ids) {
    LANYARD_ASSERT(ids.size() <= kMaxSize);
    for (const auto id : ids) {
        LANYARD_ASSERT(id != kReservedId);
        ids_[size_++] = id;
    }
}

Result<Path> Path::parse(std::string_view text) {
    std::string_view rest = text;
    if (rest.starts_with('/')) rest.remove_prefix(1);
    Path path;
    while (!rest.empty()) {
        std::uint16_t id = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), id);
        if (error != std::errc{} || id == kReservedId || path.size_ == kMaxSize) return bad_path(text);
        path.ids_[path.size_++] = id;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        if (rest.empty()) break;
        if (rest.front() != '/') return bad_path(text);
        rest.remove_prefix(1);
    }
    return path;
}

Result<Path> Path::child(std::uint16_t id) const {
    if (size_ == kMaxSize) return make_error(Errc::invalid_argument, to_string() + ": no level below this one");
    if (id == kReservedId) return make_error(Errc::invalid_argument, to_string() + ": id 65535 is reserved");
    Path path = *this;
    path.ids_[path.size_++] = id;
    return path;
}

Path Path::prefix(std::size_t size) const {
    Path path;
    path.size_ = static_cast<std::uint8_t>(std::min<std::size_t>(size, size_));
    std::copy_n(ids_.begin(), path.size_, path.ids_.begin());
    return path;
}

bool Path::contains(const Path& other) const {
    return size_ <= other.size_ && std::equal(ids_.begin(), ids_.begin() + size_, other.ids_.begin());
}

std::string Path::to_string() const {
    if (size_ == 0) return "/";
    std::string text;
    for (std::size_t i = 0; i < size_; ++i) text.append("/").append(std::to_string(ids_[i]));
    return text;
}

std::uint64_t Path::hash() const {
    std::uint64_t packed = 0;
    for (const auto id : ids_) packed = packed << 16 | id;
    return mix64(packed + size_);
}

std::strong_ordering operator<=>(const Path& a, const Path& b) {
    return std::lexicographical_compare_three_way(a.ids_.begin(), a.ids_.begin() + a.size_, b.ids_.begin(),
                                                  b.ids_.begin() + b.size_);
}

}  // namespace lanyard::lwm2m
