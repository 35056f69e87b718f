#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "device_view.hpp"
#include "list_tokens.hpp"
#include "node_names.hpp"
#include "registry/device_store.hpp"

namespace lanyard::registry {

// Walks the partitions for one page of devices of one tenant that match a filter.
struct ListQuery {
    std::string tenant;
    filter::Filter filter;
    PagePosition from;
    std::size_t page_size = 50;
    ViewContext view;
};

struct ListResult {
    std::vector<v1::Device> devices;
    // Where to go on; nothing at the end.
    std::optional<PagePosition> next;
};

// Loop only. `done` comes once. Reads at most kListReadsMax store pages: a result may hold fewer devices than asked
// for, even none, and still have a next position.
inline constexpr std::size_t kListReadsMax = 256;
void list_devices(DeviceStore& store, NodeNames& nodes, ListQuery query, Done<ListResult> done);

}  // namespace lanyard::registry
