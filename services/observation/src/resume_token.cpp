#include "resume_token.hpp"

#include "base/bytes.hpp"
#include "identity/sealed_token.hpp"

namespace lanyard::observation {
namespace {

using identity::TokenKind;

constexpr std::size_t kEntryBytes = 10;

}  // namespace

std::string seal_position(const SipKey& key, std::string_view parent, const StreamPosition& position) {
    Bytes body;
    ByteWriter writer(body);
    for (const auto& [partition, offset] : position) {
        writer.u16(static_cast<std::uint16_t>(partition));
        writer.u64(static_cast<std::uint64_t>(offset));
    }
    return identity::seal(key, TokenKind::value_stream, identity::token_scope(parent), body);
}

Result<StreamPosition> open_position(const SipKey& key, std::string_view parent, std::string_view token) {
    const auto bytes = identity::unseal(key, TokenKind::value_stream, identity::token_scope(parent), token);
    if (!bytes) return bytes.error();
    if (bytes->size() % kEntryBytes != 0) return make_error(Errc::invalid_argument, "the token is malformed");
    ByteReader reader(*bytes);
    StreamPosition out;
    while (!reader.at_end()) {
        const auto partition = static_cast<std::int32_t>(reader.u16());
        out[partition] = static_cast<std::int64_t>(reader.u64());
    }
    return out;
}

}  // namespace lanyard::observation
