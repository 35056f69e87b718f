#include "base/assert.hpp"
#include "lwm2m/attributes.hpp"
#include "lwm2m/link_format.hpp"
#include "lwm2m/object_links.hpp"

// Links that were read must be read again from what is written, and so must object lists.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lanyard::lwm2m;
    const auto links = parse_links(lanyard::as_text({data, size}));
    if (!links) return 0;
    for (const auto& link : *links) static_cast<void>(attributes_of(link));
    LANYARD_ASSERT(parse_links(write_links(*links)).value() == *links);
    const Version enabler{1, 1};
    const auto list = read_object_list(*links, enabler);
    if (!list) return 0;
    const auto again = parse_object_list(write_object_list(*list, enabler), enabler);
    // A root path with characters that links cannot hold is not written back.
    if (again && again->root_path == list->root_path) LANYARD_ASSERT(again->objects == list->objects);
    return 0;
}
