#include "node_names.hpp"

#include <set>
#include <utility>

namespace lanyard::registry {
namespace {

// Far more than live nodes: each start of an ingress is one.
constexpr std::size_t kNamesMax = 4096;

}  // namespace

// One prepare(): ends with the last answer.
struct NodeNames::Wait {
    explicit Wait(Done<void> then) : done(std::move(then)) {}

    std::size_t open = 0;
    Result<void> result;
    Done<void> done;
};

NodeNames::NodeNames(DeviceStore& store) : store_(store), alive_(std::make_shared<NodeNames*>(this)) {}

NodeNames::~NodeNames() {
    *alive_ = nullptr;
}

void NodeNames::prepare(const std::vector<std::uint32_t>& nodes, Done<void> done) {
    std::set<std::uint32_t> missing;
    for (const std::uint32_t node : nodes) {
        if (node != 0 && !names_.contains(node)) missing.insert(node);
    }
    if (missing.empty()) return done({});
    if (names_.size() + missing.size() > kNamesMax) {
        names_.clear();
        missing.insert(nodes.begin(), nodes.end());
        missing.erase(0);
    }
    const auto wait = std::make_shared<Wait>(std::move(done));
    wait->open = missing.size();
    for (const std::uint32_t node : missing) ask(node, wait);
}

void NodeNames::ask(std::uint32_t node, std::shared_ptr<Wait> wait) {
    store_.node(node, [alive = alive_, node, wait = std::move(wait)](Result<Node> found) {
        if (!*alive) return;
        const bool answered = found || found.error().code == Errc::not_found;
        if (answered) (*alive)->names_[node] = found ? std::move(found->instance) : std::string();
        if (!answered) wait->result = found.error();
        if (--wait->open == 0) wait->done(std::move(wait->result));
    });
}

std::string_view NodeNames::name(std::uint32_t node) const {
    const auto found = names_.find(node);
    return found == names_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace lanyard::registry
