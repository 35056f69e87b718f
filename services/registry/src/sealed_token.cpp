#include "sealed_token.hpp"

#include <array>

namespace lanyard::registry {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kMacSize = 8;
constexpr std::size_t kTokenMax = 32768;
constexpr char kPage = 'p';
constexpr char kResume = 'r';

std::string to_base64url(ByteView bytes) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6) out.push_back(kAlphabet[bits >> (count - 6) & 63]);
    }
    if (count > 0) out.push_back(kAlphabet[bits << (6 - count) & 63]);
    return out;
}

Result<Bytes> from_base64url(std::string_view text) {
    Bytes out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t value = kAlphabet.find(c);
        if (value == std::string_view::npos) return make_error(Errc::invalid_argument, "the token is malformed");
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<std::uint8_t>(bits >> count));
        }
    }
    return out;
}

std::uint64_t mac_of(const SipKey& key, ByteView bytes) {
    return siphash24(key, bytes);
}

Error wrong_scope() {
    return make_error(Errc::invalid_argument, "the token was made for another parent or filter");
}

}  // namespace

std::string seal(const SipKey& key, char kind, ByteView content) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u8(static_cast<std::uint8_t>(kind));
    out.put(content);
    const std::uint64_t mac = mac_of(key, bytes);
    out.u64(mac);
    return to_base64url(bytes);
}

Result<Bytes> unseal(const SipKey& key, char kind, std::string_view token) {
    const auto bad = [] { return make_error(Errc::invalid_argument, "the token is not one of this service"); };
    if (token.size() > kTokenMax) return bad();
    auto bytes = from_base64url(token);
    if (!bytes) return bytes.error();
    if (bytes->size() < 1 + kMacSize || (*bytes)[0] != static_cast<std::uint8_t>(kind)) return bad();
    const ByteView all(*bytes);
    const ByteView sealed = all.first(all.size() - kMacSize);
    if (ByteReader(all.last(kMacSize)).u64() != mac_of(key, sealed)) return bad();
    return Bytes(sealed.begin() + 1, sealed.end());
}

std::uint64_t scope_of(std::string_view tenant, std::uint64_t filter_hash) {
    return siphash24(SipKey{}, as_bytes(tenant)) ^ mix64(filter_hash);
}

std::string make_page_token(const SipKey& key, std::uint64_t scope, PagePosition position) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u64(scope);
    out.u8(static_cast<std::uint8_t>(position.partition));
    out.u32(position.after);
    return seal(key, kPage, bytes);
}

Result<PagePosition> parse_page_token(const SipKey& key, std::uint64_t scope, std::string_view token) {
    if (token.empty()) return PagePosition{};
    const auto bytes = unseal(key, kPage, token);
    if (!bytes) return bytes.error();
    ByteReader in(*bytes);
    const std::uint64_t token_scope = in.u64();
    PagePosition position;
    position.partition = in.u8();
    position.after = in.u32();
    if (!in.ok() || token_scope != scope) return wrong_scope();
    return position;
}

std::string make_resume_token(const SipKey& key, std::uint64_t scope, const ResumeOffsets& offsets) {
    Bytes bytes;
    ByteWriter out(bytes);
    out.u64(scope);
    for (const std::int64_t offset : offsets) out.u64(static_cast<std::uint64_t>(offset));
    return seal(key, kResume, bytes);
}

Result<ResumeOffsets> parse_resume_token(const SipKey& key, std::uint64_t scope, std::string_view token) {
    const auto bytes = unseal(key, kResume, token);
    if (!bytes) return bytes.error();
    ByteReader in(*bytes);
    if (in.u64() != scope || in.remaining() == 0 || in.remaining() % 8 != 0) return wrong_scope();
    ResumeOffsets offsets;
    while (!in.at_end()) offsets.push_back(static_cast<std::int64_t>(in.u64()));
    return offsets;
}

}  // namespace lanyard::registry
