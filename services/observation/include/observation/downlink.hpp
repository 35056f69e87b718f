#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "observation/types.hpp"

namespace lanyard::observation {

// Where a session was when last heard of.
struct OwnerHint {
    std::uint32_t node = 0;
    std::uint32_t shard = 0;
    std::uint32_t epoch = 0;
};

// A device as the registry tells it, by lifecycle event or by request.
struct DeviceInfo {
    DeviceNumber number;
    std::string tenant;
    std::string endpoint;
    bool registered = false;
    std::uint32_t generation = 0;
    std::optional<OwnerHint> owner;
    std::string lwm2m_version;
    std::string object_links;  // CoRE link list as sent
    std::map<std::string, std::string> labels;
};

enum class Method : std::uint8_t { get = 1, put = 3 };

// One CoAP request to one device.
struct DownlinkCommand {
    DeviceNumber device;
    std::uint32_t generation = 0;
    std::optional<OwnerHint> owner;
    std::chrono::milliseconds timeout{30000};
    Method method = Method::get;
    std::string path;
    std::vector<std::string> queries;
    std::optional<std::uint16_t> accept;
    std::optional<std::uint32_t> observe;
    Bytes token;
};

// lanyard.internal.v1.DownlinkResult.Outcome, as far as it makes a difference here.
enum class Outcome : std::uint8_t {
    answered,     // `code` tells how
    offline,      // not registered, or in another generation
    unreachable,  // asleep, busy, no answer in time, owner gone: try again later
    refused,      // reset, malformed or over a limit: trying again does not help
};

struct DownlinkAnswer {
    Outcome outcome = Outcome::unreachable;
    std::string message;    // for people
    std::uint8_t code = 0;  // CoAP code as a byte
    std::optional<std::uint16_t> content_format;
    std::optional<std::uint32_t> observe;
    std::string payload;
    UnixMillis received_ms = 0;
};

// Sends requests to devices. Thread-safe; `done` is called exactly once, on any thread, and must not block.
class Downlink {
  public:
    virtual ~Downlink() = default;
    virtual void send(DownlinkCommand command, std::function<void(DownlinkAnswer)> done) = 0;
};

struct DevicePage {
    std::vector<DeviceInfo> devices;
    std::string next_page_token;  // empty on the last page
};

// Asks the registry for devices. Thread-safe; `done` is called exactly once, on any thread, and must not block.
// Errors are those of the registry's DeviceService.
class DeviceDirectory {
  public:
    virtual ~DeviceDirectory() = default;
    virtual void get(const std::string& tenant, const std::string& endpoint,
                     std::function<void(Result<DeviceInfo>)> done) = 0;
    virtual void list(const std::string& tenant, const std::string& page_token, int page_size,
                      std::function<void(Result<DevicePage>)> done) = 0;
};

}  // namespace lanyard::observation
