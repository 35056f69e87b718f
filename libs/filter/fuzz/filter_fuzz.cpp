#include <cstdint>
#include <string_view>

#include "filter/filter.hpp"

namespace {

class Subject final : public lanyard::filter::Subject {
  public:
    [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const override {
        if (name == "a") return "urn:1";
        return std::nullopt;
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto filter = lanyard::filter::Filter::parse(text, {"a", "b", "labels.*"});
    if (filter) (void)filter->matches(Subject());
    return 0;
}
