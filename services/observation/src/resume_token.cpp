#include "resume_token.hpp"

#include "base/bytes.hpp"
#include "base/hex.hpp"

namespace lanyard::observation {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 9;
constexpr std::size_t kEntryBytes = 10;
constexpr std::size_t kMaxTokenBytes = kHeaderBytes + kEntryBytes * 4096;

std::uint64_t mac(const SipKey& key, std::string_view parent, ByteView body) {
    Bytes input;
    ByteWriter writer(input);
    writer.put("stream-values\n");
    writer.u32(static_cast<std::uint32_t>(parent.size()));
    writer.put(parent);
    writer.put(body);
    return siphash24(key, input);
}

Error bad_token() {
    return make_error(Errc::invalid_argument, "not a resume token of this parent");
}

}  // namespace

std::string seal_position(const SipKey& key, std::string_view parent, const StreamPosition& position) {
    Bytes body;
    ByteWriter writer(body);
    for (const auto& [partition, offset] : position) {
        writer.u16(static_cast<std::uint16_t>(partition));
        writer.u64(static_cast<std::uint64_t>(offset));
    }
    Bytes token;
    ByteWriter sealed(token);
    sealed.u8(kVersion);
    sealed.u64(mac(key, parent, body));
    sealed.put(body);
    return to_hex(token);
}

Result<StreamPosition> open_position(const SipKey& key, std::string_view parent, std::string_view token) {
    if (token.size() > 2 * kMaxTokenBytes) return bad_token();
    const auto bytes = from_hex(token);
    if (!bytes || bytes->size() < kHeaderBytes || (bytes->size() - kHeaderBytes) % kEntryBytes != 0) return bad_token();
    ByteReader reader(*bytes);
    const std::uint8_t version = reader.u8();
    const std::uint64_t sealed = reader.u64();
    if (version != kVersion || sealed != mac(key, parent, ByteView(*bytes).subspan(kHeaderBytes))) return bad_token();
    StreamPosition out;
    while (!reader.at_end()) {
        const auto partition = static_cast<std::int32_t>(reader.u16());
        out[partition] = static_cast<std::int64_t>(reader.u64());
    }
    return out;
}

}  // namespace lanyard::observation
