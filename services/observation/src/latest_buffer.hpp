#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "lwm2m/path.hpp"
#include "lwm2m/value.hpp"
#include "observation/store.hpp"

namespace lanyard::observation {

// A value to remember, as it was decoded.
struct LatestInput {
    lwm2m::Path path;
    lwm2m::Value value;
    UnixMillis time_ms = 0;
    UnixMillis received_ms = 0;
    bool send = false;
};

// Latest values on their way to the store: of several values of one path only the newest (by time of measurement)
// is kept until it is written. Holds at most `max` devices. Not thread-safe.
class LatestBuffer {
  public:
    explicit LatestBuffer(std::size_t max) : max_(max) {}

    // False when it is a further device and the buffer is full: the value is dropped.
    bool put(DeviceNumber device, LatestInput value);
    bool put(DeviceNumber device, const LastNotify& notify);
    // Takes up to `count` devices out, ready to be stored.
    [[nodiscard]] std::vector<ObservationStore::LatestUpdate> take(std::size_t count);
    [[nodiscard]] std::size_t size() const { return devices_.size(); }

  private:
    struct Device {
        std::vector<LatestInput> values;
        std::vector<LastNotify> notifies;
    };
    Device* device(DeviceNumber number);

    std::size_t max_;
    std::unordered_map<std::uint32_t, Device> devices_;
};

}  // namespace lanyard::observation
