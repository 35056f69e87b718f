#include "coap/options.hpp"

#include <algorithm>
#include <cstring>

namespace lanyard::coap {

Options& Options::operator=(const Options& other) {
    if (this == &other) return *this;
    count_ = other.count_;
    used_ = other.used_;
    ok_ = other.ok_;
    std::copy_n(other.entries_.begin(), count_, entries_.begin());
    std::copy_n(other.bytes_.begin(), used_, bytes_.begin());
    return *this;
}

Options& Options::add(OptionNumber number, ByteView value) {
    if (count_ == kMaxOptionsOut || value.size() > bytes_.size() - used_) {
        ok_ = false;
        return *this;
    }
    std::size_t at = count_;
    for (; at > 0 && entries_[at - 1].number > number; --at) entries_[at] = entries_[at - 1];
    entries_[at] = Entry{number, used_, static_cast<std::uint16_t>(value.size())};
    if (!value.empty()) std::memcpy(bytes_.data() + used_, value.data(), value.size());
    used_ = static_cast<std::uint16_t>(used_ + value.size());
    ++count_;
    return *this;
}

Options& Options::add_uint(OptionNumber number, std::uint64_t value) {
    std::array<std::uint8_t, 8> encoded{};
    std::size_t at = encoded.size();
    for (; value != 0; value >>= 8) encoded[--at] = static_cast<std::uint8_t>(value);
    return add(number, ByteView(encoded).subspan(at));
}

Options& Options::add_segments(OptionNumber number, std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        add(number, path.substr(0, slash));
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
        if (path.empty()) add(number, path);  // "a/" has an empty last segment
    }
    return *this;
}

void Options::remove(OptionNumber number) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < count_; ++at) {
        if (entries_[at].number != number) entries_[kept++] = entries_[at];
    }
    count_ = static_cast<std::uint16_t>(kept);
}

bool Options::contains(OptionNumber number) const {
    return std::any_of(entries_.begin(), entries_.begin() + count_,
                       [number](const Entry& entry) { return entry.number == number; });
}

}  // namespace lanyard::coap
