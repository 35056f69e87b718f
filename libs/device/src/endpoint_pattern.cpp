#include "device/endpoint_pattern.hpp"

#include <charconv>

#include "lwm2m/registration.hpp"

namespace lanyard::device {
namespace {

constexpr std::size_t kMaxWidth = 20;

Error bad_pattern(std::string_view text) {
    return make_error(Errc::invalid_argument, "endpoint pattern '" + std::string(text) +
                                                  "': must hold one %u or %0<width>u and make valid endpoint names");
}

}  // namespace

Result<EndpointPattern> EndpointPattern::parse(std::string_view text) {
    const std::size_t percent = text.find('%');
    const std::size_t end = text.find('u', percent);
    if (percent == std::string_view::npos || end == std::string_view::npos) return bad_pattern(text);
    const std::string_view digits = text.substr(percent + 1, end - percent - 1);
    EndpointPattern pattern;
    pattern.prefix_ = text.substr(0, percent);
    pattern.suffix_ = text.substr(end + 1);
    pattern.width_ = 0;
    if (!digits.empty()) {
        const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pattern.width_);
        const bool number = error == std::errc() && stop == digits.data() + digits.size();
        if (!number || digits.front() != '0' || pattern.width_ > kMaxWidth) return bad_pattern(text);
    }
    if (pattern.suffix_.find('%') != std::string::npos || !lwm2m::is_valid_endpoint(pattern.name(0))) {
        return bad_pattern(text);
    }
    return pattern;
}

std::string EndpointPattern::name(std::uint64_t number) const {
    const std::string digits = std::to_string(number);
    std::string name;
    name.reserve(prefix_.size() + kMaxWidth + suffix_.size());
    name += prefix_;
    if (digits.size() < width_) name.append(width_ - digits.size(), '0');
    name += digits;
    name += suffix_;
    return name;
}

}  // namespace lanyard::device
