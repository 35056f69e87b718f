#include "list_tokens.hpp"

#include "base/bytes.hpp"
#include "identity/sealed_token.hpp"

namespace lanyard::registry {
namespace {

using identity::TokenKind;

Error malformed() {
    return make_error(Errc::invalid_argument, "the token is malformed");
}

}  // namespace

std::string make_page_token(const SipKey& key, std::uint64_t scope, PagePosition position) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(position.partition));
    out.u32(position.after);
    return identity::seal(key, TokenKind::device_page, scope, bytes);
}

Result<PagePosition> parse_page_token(const SipKey& key, std::uint64_t scope, std::string_view token) {
    if (token.empty()) return PagePosition{};
    const auto bytes = identity::unseal(key, TokenKind::device_page, scope, token);
    if (!bytes) return bytes.error();
    ByteReader in(*bytes);
    PagePosition position;
    position.partition = in.u8();
    position.after = in.u32();
    if (!in.ok()) return malformed();
    return position;
}

std::string make_resume_token(const SipKey& key, std::uint64_t scope, const ResumePosition& position) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u64(static_cast<std::uint64_t>(position.seen_ms));
    for (const std::int64_t offset : position.offsets) out.u64(static_cast<std::uint64_t>(offset));
    return identity::seal(key, TokenKind::device_watch, scope, bytes);
}

Result<ResumePosition> parse_resume_token(const SipKey& key, std::uint64_t scope, std::string_view token) {
    const auto bytes = identity::unseal(key, TokenKind::device_watch, scope, token);
    if (!bytes) return bytes.error();
    if (bytes->size() < 16 || bytes->size() % 8 != 0) return malformed();
    ByteReader in(*bytes);
    ResumePosition position;
    position.seen_ms = static_cast<UnixMillis>(in.u64());
    while (!in.at_end()) position.offsets.push_back(static_cast<std::int64_t>(in.u64()));
    return position;
}

}  // namespace lanyard::registry
