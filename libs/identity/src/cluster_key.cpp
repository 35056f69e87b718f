#include "identity/cluster_key.hpp"

#include <algorithm>

#include "base/hex.hpp"

namespace lanyard::identity {

Result<SipKey> parse_cluster_key(const Secret& text) {
    SipKey key{};
    const auto bytes = from_hex(text.reveal());
    if (!bytes || bytes->size() != key.size()) {
        return make_error(Errc::invalid_argument, "cluster.key: must be 32 hex digits");
    }
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

}  // namespace lanyard::identity
