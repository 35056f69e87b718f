#include "identity/sealed_token.hpp"

#include "base/base64.hpp"

namespace lanyard::identity {
namespace {

constexpr std::size_t kHeadSize = 9;
constexpr std::size_t kMacSize = 8;
// Enough for the offsets of 4096 partitions.
constexpr std::size_t kTokenMax = 65536;

}  // namespace

std::uint64_t token_scope(std::string_view parent, std::uint64_t query_hash) {
    return siphash24(SipKey{}, as_bytes(parent)) ^ mix64(query_hash);
}

std::string seal(const SipKey& key, TokenKind kind, std::uint64_t scope, ByteView content) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(kind));
    out.u64(scope);
    out.put(content);
    const std::uint64_t mac = siphash24(key, bytes);
    out.u64(mac);
    return base64url(bytes);
}

Result<Bytes> unseal(const SipKey& key, TokenKind kind, std::uint64_t scope, std::string_view token) {
    const auto bad = [] { return make_error(Errc::invalid_argument, "the token is not one of this service"); };
    if (token.size() > kTokenMax) return bad();
    const auto bytes = from_base64(token);
    if (!bytes) return make_error(Errc::invalid_argument, "the token is malformed");
    if (bytes->size() < kHeadSize + kMacSize) return bad();
    const ByteView sealed = ByteView(*bytes).first(bytes->size() - kMacSize);
    if (ByteReader(ByteView(*bytes).last(kMacSize)).u64() != siphash24(key, sealed)) return bad();
    ByteReader head(sealed);
    if (head.u8() != static_cast<std::uint8_t>(kind)) return bad();
    if (head.u64() != scope) {
        return make_error(Errc::invalid_argument, "the token was made for another parent or filter");
    }
    return Bytes(sealed.begin() + kHeadSize, sealed.end());
}

}  // namespace lanyard::identity
