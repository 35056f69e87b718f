#include "base/rfc3339.hpp"

#include <algorithm>
#include <chrono>

namespace lanyard {
namespace {

void append_digits(std::string& out, unsigned value, int width) {
    char digits[8];
    for (int i = width - 1; i >= 0; --i) {
        digits[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    out.append(digits, static_cast<std::size_t>(width));
}

// 0000-01-01 and 9999-12-31T23:59:59.999 in milliseconds since the epoch.
constexpr UnixMillis kFirst = -62167219200000;
constexpr UnixMillis kLast = 253402300799999;

}  // namespace

void append_rfc3339(std::string& out, UnixMillis time_ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds{std::clamp(time_ms, kFirst, kLast)}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const auto ms = static_cast<unsigned>((time - day).count());
    append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_digits(out, static_cast<unsigned>(date.day()), 2);
    out += 'T';
    append_digits(out, ms / 3600000, 2);
    out += ':';
    append_digits(out, ms / 60000 % 60, 2);
    out += ':';
    append_digits(out, ms / 1000 % 60, 2);
    out += '.';
    append_digits(out, ms % 1000, 3);
    out += 'Z';
}

}  // namespace lanyard
