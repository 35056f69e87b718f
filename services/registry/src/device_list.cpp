#include "device_list.hpp"

#include <algorithm>

namespace lanyard::registry {
namespace {

class Walk final : public std::enable_shared_from_this<Walk> {
  public:
    Walk(DeviceStore& store, NodeNames& nodes, ListQuery query, Done<ListResult> done)
        : store_(store), nodes_(nodes), query_(std::move(query)), done_(std::move(done)), at_(query_.from) {
        query_.view.nodes = &nodes;
    }

    void step() {
        if (at_.partition >= identity::kPartitions) return done_(std::move(result_));
        if (result_.devices.size() >= query_.page_size || reads_++ >= kListReadsMax) {
            result_.next = at_;
            return done_(std::move(result_));
        }
        const std::size_t room = query_.page_size - result_.devices.size();
        store_.list(at_.partition, at_.after, std::clamp<std::size_t>(room, 16, 256),
                    [self = shared_from_this()](Result<DevicePage> page) { self->on_page(std::move(page)); });
    }

  private:
    void on_page(Result<DevicePage> page) {
        if (!page) return done_(page.error());
        std::vector<std::uint32_t> nodes;
        for (const DeviceRecord& record : page->devices) nodes.push_back(record.node);
        nodes_.prepare(nodes, [self = shared_from_this(), page = std::move(*page)](Result<void> named) {
            if (!named) return self->done_(named.error());
            self->take(page);
        });
    }
    void take(const DevicePage& page) {
        for (const DeviceRecord& record : page.devices) {
            if (result_.devices.size() >= query_.page_size) {
                result_.next = at_;
                return done_(std::move(result_));
            }
            at_.after = record.number.sequence();
            if (record.tenant != query_.tenant) continue;
            v1::Device device = to_device(record, query_.view);
            if (matches(query_.filter, device)) result_.devices.push_back(std::move(device));
        }
        at_ = page.next == 0 ? PagePosition{at_.partition + 1, 0} : PagePosition{at_.partition, page.next};
        step();
    }

    DeviceStore& store_;
    NodeNames& nodes_;
    ListQuery query_;
    Done<ListResult> done_;
    PagePosition at_;
    std::size_t reads_ = 0;
    ListResult result_;
};

}  // namespace

void list_devices(DeviceStore& store, NodeNames& nodes, ListQuery query, Done<ListResult> done) {
    std::make_shared<Walk>(store, nodes, std::move(query), std::move(done))->step();
}

}  // namespace lanyard::registry
