#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lanyard::redis {

// Keys that one script touches must lie in one hash slot of a Redis Cluster: the part between the first '{'
// and the next '}' decides (Redis Cluster specification, "Hash tags"). A '}' in the tag is written as "%7D" and
// a '%' as "%25", so that two tags never make one key.
//
//   tagged_key("reg:", "default/urn:imei:1", ":rec")  ->  "reg:{default/urn:imei:1}:rec"
std::string tagged_key(std::string_view prefix, std::string_view tag, std::string_view suffix = {});

// The slot, 0..16383, of a key: CRC16/XMODEM of its hash tag, or of all of it without one.
std::uint16_t key_slot(std::string_view key);

}  // namespace lanyard::redis
