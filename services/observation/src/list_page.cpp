#include "list_page.hpp"

#include "base/bytes.hpp"
#include "rpc/status.hpp"

namespace lanyard::observation {

Checked<Page> check_page(const SipKey& key, identity::TokenKind kind, std::string_view parent, std::int32_t size,
                         std::string_view token) {
    if (size < 0) return rpc::invalid_field("page_size", "must not be negative");
    Page page;
    page.size = static_cast<std::size_t>(std::min(size == 0 ? kPageDefault : size, kPageMax));
    if (token.empty()) return page;
    const auto last = identity::unseal(key, kind, identity::token_scope(parent), token);
    if (!last) return rpc::invalid_field("page_token", last.error().message);
    page.after = as_text(*last);
    return page;
}

std::string page_token(const SipKey& key, identity::TokenKind kind, std::string_view parent, std::string_view last_id) {
    return identity::seal(key, kind, identity::token_scope(parent), as_bytes(last_id));
}

}  // namespace lanyard::observation
