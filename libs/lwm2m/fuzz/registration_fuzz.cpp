#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/registration.hpp"

// Lines are query parameters. A Register that was accepted must be accepted again as it is written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lanyard::lwm2m;
    std::string_view text = lanyard::as_text({data, size});
    std::vector<std::string_view> query;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        query.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    static_cast<void>(parse_update(query));
    const auto attributes = parse_attributes(query);
    if (attributes) {
        const auto written = to_query(*attributes);
        LANYARD_ASSERT(parse_attributes(std::vector<std::string_view>(written.begin(), written.end())).has_value());
    }
    const auto parameters = parse_register(query);
    if (!parameters) return 0;
    const auto written = register_query(*parameters);
    const auto again = parse_register(std::vector<std::string_view>(written.begin(), written.end()));
    LANYARD_ASSERT(again.has_value());
    LANYARD_ASSERT(again->endpoint == parameters->endpoint && again->queue_mode == parameters->queue_mode &&
                   again->transports == parameters->transports && again->profile_ids == parameters->profile_ids);
    return 0;
}
