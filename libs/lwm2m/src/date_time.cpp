#include "date_time.hpp"

#include <chrono>

namespace lanyard::lwm2m {
namespace {

// Reads fields of fixed width off the front; dead after the first mismatch.
class FieldReader {
  public:
    explicit FieldReader(std::string_view text) : rest_(text) {}

    int digits(std::size_t count) {
        int number = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const char c = take();
            if (c < '0' || c > '9') ok_ = false;
            number = number * 10 + (c - '0');
        }
        return ok_ ? number : 0;
    }
    // The next character, which must be one of `allowed`.
    char one_of(std::string_view allowed) {
        const char c = take();
        if (allowed.find(c) == std::string_view::npos) ok_ = false;
        return c;
    }
    void skip_fraction() {
        if (!rest_.starts_with('.')) return;
        rest_.remove_prefix(1);
        digits(1);
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
    }
    [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

  private:
    char take() {
        if (rest_.empty()) {
            ok_ = false;
            return '\0';
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace

std::optional<std::int64_t> parse_date_time(std::string_view text) {
    FieldReader in(text);
    const int year = in.digits(4);
    in.one_of("-");
    const int month = in.digits(2);
    in.one_of("-");
    const int day = in.digits(2);
    in.one_of("Tt ");
    const int hour = in.digits(2);
    in.one_of(":");
    const int minute = in.digits(2);
    in.one_of(":");
    const int second = in.digits(2);
    in.skip_fraction();
    const char zone = in.one_of("Zz+-");
    int offset_minutes = 0;
    if (zone == '+' || zone == '-') {
        const int offset_hours = in.digits(2);
        in.one_of(":");
        offset_minutes = (offset_hours * 60 + in.digits(2)) * (zone == '-' ? -1 : 1);
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!in.done() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    return days * 86400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
}

}  // namespace lanyard::lwm2m
