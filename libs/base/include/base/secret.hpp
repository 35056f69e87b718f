#pragma once

#include <string>
#include <utility>

namespace lanyard {

// A value that must not be printed: it has no operator<<, no formatter, and is wiped when it dies.
// reveal() marks every place that uses it.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&&) noexcept = default;
    Secret& operator=(const Secret&) = default;
    Secret& operator=(Secret&&) noexcept = default;
    ~Secret() {
        for (volatile char& c : value_) c = 0;
    }

    [[nodiscard]] const std::string& reveal() const { return value_; }
    [[nodiscard]] bool empty() const { return value_.empty(); }

  private:
    std::string value_;
};

}  // namespace lanyard
